import { test } from 'vitest';
import { expectSeedsToHold } from './testing/expect-seeds.ts';

// In several files, so that they run beside each other.
test('seeds 1 to 50 hold', () => expectSeedsToHold(1, 50), 600_000);
