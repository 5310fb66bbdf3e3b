import { Prng } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { checkLinearizability } from './linearizability.ts';
import { registerModel, type RegisterOperation } from './register.ts';
import { searchLinearization } from './search.ts';
import { isLinearizableByDefinition } from './testing/brute-linearizability.ts';
import { randomTinyHistory } from './testing/tiny-registers.ts';
import {
  makeRegisterHistory,
  type RegisterFault,
  type ToyRegisterOptions,
} from './testing/toy-registers.ts';

const SEED = 20_260_101;
const SEEDS = 300;

function verdict(operations: readonly RegisterOperation[]): string {
  return checkLinearizability(registerModel, operations).type;
}

const shapes = [
  { processes: 3, keys: 1, operations: 60, values: 'few', unknownChance: 0.1, failedChance: 0.05 },
  { processes: 8, keys: 3, operations: 200, values: 'unique', unknownChance: 0.05 },
  { processes: 5, keys: 2, operations: 120, values: 'few', unknownChance: 0 },
] as const;

/** Many reads, so that a fault shows. */
const watchful: ToyRegisterOptions = {
  processes: 5,
  keys: 2,
  operations: 200,
  values: 'unique',
  readChance: 0.93,
  unknownChance: 0.02,
};

test.each(shapes)('accepts what a linearizable system does: $processes processes', (shape) => {
  const refused: number[] = [];
  for (let seed = SEED; seed < SEED + SEEDS; seed++) {
    const operations = makeRegisterHistory(new Prng(seed), shape)!;
    if (verdict(operations) !== 'linearizable') refused.push(seed);
  }
  expect(refused).toEqual([]);
});

describe.each([
  ['lost-write', 0.8],
  ['stale-read', 0.95],
  ['early-write', 0.9],
  ['lying-cas', 0.95],
  ['double-write', 0.8],
] as [RegisterFault, number][])('with one %s', (fault, shareMin) => {
  test(`most histories are refused, seeds ${SEED} on`, () => {
    let planted = 0;
    let refused = 0;
    for (let seed = SEED; seed < SEED + SEEDS; seed++) {
      const operations = makeRegisterHistory(new Prng(seed), watchful, fault);
      if (operations === undefined) continue;
      planted++;
      if (verdict(operations) === 'violation') refused++;
    }
    expect(planted).toBeGreaterThan(SEEDS / 2);
    expect(refused / planted, `${refused} of ${planted}`).toBeGreaterThan(shareMin);
  });
});

describe('on histories of up to six operations', () => {
  const histories = (count: number): RegisterOperation[][] => {
    const prng = new Prng(SEED);
    return Array.from({ length: count }, () => randomTinyHistory(prng));
  };

  test(`it says what the definition says, seed ${SEED}`, () => {
    const counts = { good: 0, bad: 0 };
    for (const operations of histories(20_000)) {
      const expected = isLinearizableByDefinition(registerModel, operations);
      counts[expected ? 'good' : 'bad']++;
      const type = expected ? 'linearizable' : 'violation';
      if (verdict(operations) !== type) expect({ operations, type }).toBeUndefined();
      // Also without leaving out what cannot matter.
      const whole = searchLinearization(registerModel, operations, 10_000).type;
      if ((whole === 'found') !== expected) expect({ operations, whole }).toBeUndefined();
    }
    expect(Math.min(counts.good, counts.bad)).toBeGreaterThan(4000);
  });

  test(`an explanation is a violation by definition, and none of its parts is, seed ${SEED}`, () => {
    for (const operations of histories(10_000)) {
      const found = checkLinearizability(registerModel, operations);
      if (found.type !== 'violation') continue;
      const isGood = isLinearizableByDefinition(registerModel, found.operations);
      if (isGood) expect({ operations, found }).toBeUndefined();
      for (const group of registerModel.removable!(found.operations).flat()) {
        if (group.length === 0) continue;
        const rest = found.operations.filter((operation) => !group.includes(operation));
        const isRestGood = isLinearizableByDefinition(registerModel, rest);
        if (!isRestGood) expect({ operations, found, rest }).toBeUndefined();
      }
    }
  });
});
