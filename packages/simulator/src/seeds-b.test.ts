import { test } from 'vitest';
import { expectSeedsToHold } from './testing/expect-seeds.ts';

// In several files, so that they run beside each other.
test('seeds 51 to 100 hold', () => expectSeedsToHold(51, 50), 600_000);
