import { test } from 'vitest';
import { expectSeedsToHold } from './testing/expect-seeds.ts';

// In several files, so that they run beside each other.
test('seeds 151 to 200 hold', () => expectSeedsToHold(151, 50), 600_000);
