import { Prng } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { isIsolatedByDefinition } from '../testing/brute-transactions.ts';
import { randomTinyTransactions } from '../testing/tiny-transactions.ts';
import {
  makeTransactionHistory,
  type ToyTransactionOptions,
  type TransactionFault,
} from '../testing/toy-transactions.ts';
import type { IsolationLevel } from './anomaly.ts';
import { checkTransactions } from './check-transactions.ts';
import { describeTransaction } from './transaction.ts';

const SEED = 20_260_102;
const SEEDS = 300;

const levels: IsolationLevel[] = ['snapshot', 'serializable', 'strict-serializable'];

const shape: Omit<ToyTransactionOptions, 'level'> = {
  processes: 6,
  keys: 4,
  transactions: 80,
  unknownChance: 0.08,
  failedChance: 0.08,
};

describe.each(levels)('of a system that keeps %s', (level) => {
  const shareRefused = (checked: IsolationLevel): number => {
    let refused = 0;
    for (let seed = SEED; seed < SEED + SEEDS; seed++) {
      const transactions = makeTransactionHistory(new Prng(seed), { ...shape, level })!;
      if (checkTransactions(transactions, checked).type === 'violation') refused++;
    }
    return refused / SEEDS;
  };

  test(`every history is accepted, seeds ${SEED} on`, () => {
    expect(shareRefused(level)).toBe(0);
  });

  test.each(levels.slice(levels.indexOf(level) + 1))(
    `most histories are refused at %s, seeds ${SEED} on`,
    (higher) => {
      expect(shareRefused(higher)).toBeGreaterThan(0.7);
    },
  );
});

describe.each([
  ['lost-commit', 0.9],
  ['torn-commit', 0.9],
  ['leaked-abort', 0.9],
  ['double-commit', 0.9],
  ['lost-update', 0.9],
  ['stale-read', 0.85],
] as [TransactionFault, number][])('with one %s', (fault, shareMin) => {
  test(`most histories are refused, seeds ${SEED} on`, () => {
    let planted = 0;
    let refused = 0;
    for (let seed = SEED; seed < SEED + SEEDS; seed++) {
      const options = { ...shape, level: 'strict-serializable' } as const;
      const transactions = makeTransactionHistory(new Prng(seed), options, fault);
      if (transactions === undefined) continue;
      planted++;
      if (checkTransactions(transactions, options.level).type === 'violation') refused++;
    }
    expect(planted).toBeGreaterThan(SEEDS / 2);
    expect(refused / planted, `${refused} of ${planted}`).toBeGreaterThan(shareMin);
  });
});

// At snapshot level, the order of appends that nobody ever read can matter, which the checker takes
// for free: it accepts one in some 20,000 bad histories of nine steps, and none of these.
describe('on histories of up to six steps', () => {
  test.each(levels)(`it says what the definition of %s says, seed ${SEED}`, (level) => {
    const prng = new Prng(SEED);
    const counts = { good: 0, bad: 0 };
    for (let round = 0; round < 20_000; round++) {
      const transactions = randomTinyTransactions(prng);
      const isGood = isIsolatedByDefinition(transactions, level);
      counts[isGood ? 'good' : 'bad']++;
      const found = checkTransactions(transactions, level);
      if ((found.type === 'valid') !== isGood) {
        expect([...transactions.map(describeTransaction), found.text, isGood]).toEqual([]);
      }
    }
    expect(Math.min(counts.good, counts.bad)).toBeGreaterThan(3000);
  });
});
