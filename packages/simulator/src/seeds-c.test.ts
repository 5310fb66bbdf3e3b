import { test } from 'vitest';
import { expectSeedsToHold } from './testing/expect-seeds.ts';

// In several files, so that they run beside each other.
test('seeds 101 to 150 hold', () => expectSeedsToHold(101, 50), 600_000);
