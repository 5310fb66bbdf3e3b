import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import type { Operation, Outcome } from './history.ts';
import { checkLinearizability } from './linearizability.ts';
import type { Model } from './model.ts';
import { registerModel, type RegisterOperation } from './register.ts';
import { isLinearizableByDefinition } from './testing/brute-linearizability.ts';
import { parseRegisterOperations } from './testing/register-notation.ts';
import { makeRegisterHistory } from './testing/toy-registers.ts';

const SEED = 20_260_104;

test(`ten thousand operations on one key are no matter, seed ${SEED}`, () => {
  const shape = { processes: 8, keys: 1, operations: 10_000, values: 'unique' } as const;
  const operations = makeRegisterHistory(new Prng(SEED), { ...shape, unknownChance: 0.005 })!;
  expect(checkLinearizability(registerModel, operations).type).toBe('linearizable');
});

test(`one stale read among thousands is explained by few operations, seed ${SEED}`, () => {
  const shape = { processes: 8, keys: 1, operations: 3000, values: 'unique' } as const;
  const options = { ...shape, unknownChance: 0.005 };
  const operations = makeRegisterHistory(new Prng(SEED), options, 'stale-read')!;
  const found = checkLinearizability(registerModel, operations);
  expect(found.type === 'violation' && found.operations.length).toBe(3);
});

/** Writes at once and, later, what no order of them gives. Every order must be looked at. */
function hardHistory(key: string, writes: number): RegisterOperation[] {
  const lines = Array.from({ length: writes }, (_, at) => `w${at} [0, 100] write ${key} ${at}`);
  const swaps = lines.map((_, at) => `s${at} [0, 100] cas ${key} ${at} ${at + 100} -> swapped`);
  const reads = [`r [200, 210] read ${key} -> 1000`];
  return parseRegisterOperations([...lines, ...swaps, ...reads].join('\n'));
}

test('work has a limit, and no verdict is none', () => {
  const found = checkLinearizability(registerModel, hardHistory('x', 10), { stepsMax: 5000 });
  expect(found).toEqual({
    type: 'unknown',
    key: 'x',
    text: 'no verdict: key x needs more than 5000 steps',
  });
  expect(checkLinearizability(registerModel, hardHistory('x', 3)).type).toBe('violation');
});

test('a violation of one key counts more than no verdict on another', () => {
  const stale = parseRegisterOperations('a [0, 1] write y 1\nb [2, 3] read y -> null');
  const both = [...hardHistory('x', 10), ...stale];
  const found = checkLinearizability(registerModel, both, { stepsMax: 5000 });
  expect(found).toMatchObject({ type: 'violation', key: 'y' });
});

type QueueInput = { readonly type: 'put'; readonly value: number } | { readonly type: 'take' };
type QueueOperation = Operation<QueueInput, number | undefined>;

/** Without hints: a take of unknown outcome removes whatever is there. */
const queueModel: Model<readonly number[], QueueInput, number | undefined> = {
  initial: [],
  step(state, { input, outcome }) {
    if (input.type === 'put') return [...state, input.value];
    const isOther = outcome.type === 'ok' && outcome.output !== state[0];
    return isOther ? undefined : state.slice(1);
  },
  isObserver: ({ input, outcome }) =>
    input.type === 'take' && outcome.type === 'ok' && outcome.output === undefined,
  stateKey: String,
  describe: ({ input }) => input.type,
  describeState: String,
};

function randomQueueHistory(prng: Prng): QueueOperation[] {
  const length = prng.between(2, 6);
  return Array.from({ length }, (_, process) => {
    const input = prng.pick([{ type: 'put', value: prng.below(3) }, { type: 'take' }] as const);
    const output = input.type === 'put' ? undefined : prng.pick([undefined, 0, 1, 2]);
    const outcome = prng.pick([
      ...[1, 2, 3].map((): Outcome<number | undefined> => ({ type: 'ok', output })),
      { type: 'unknown' } as const,
    ]);
    const call = prng.below(10);
    const returned = outcome.type === 'unknown' ? Infinity : call + prng.below(5);
    return { process, key: 'q', input, call, returned, outcome };
  });
}

test(`another model, a queue, is what its definition says, seed ${SEED}`, () => {
  const prng = new Prng(SEED);
  const counts = { linearizable: 0, violation: 0 };
  for (let round = 0; round < 5000; round++) {
    const operations = randomQueueHistory(prng);
    const type = isLinearizableByDefinition(queueModel, operations) ? 'linearizable' : 'violation';
    counts[type]++;
    const found = checkLinearizability(queueModel, operations).type;
    if (found !== type) expect({ operations, found, type }).toBeUndefined();
  }
  expect(Math.min(counts.linearizable, counts.violation)).toBeGreaterThan(1000);
});
