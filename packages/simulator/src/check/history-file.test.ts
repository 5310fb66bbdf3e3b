import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { checkHistory } from './check-history.ts';
import { eventsOf, type History } from './history-events.ts';
import { formatEvents, parseHistory } from './history-file.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { makeRegisterHistory } from './testing/toy-registers.ts';
import { makeTransactionHistory } from './testing/toy-transactions.ts';

const SEED = 20_260_103;

const level = 'strict-serializable';

function someHistory(seed: number): History {
  const prng = new Prng(seed);
  const registers = { processes: 3, keys: 2, operations: 30, unknownChance: 0.1 };
  const lists = { processes: 3, keys: 2, transactions: 20, failedChance: 0.1, unknownChance: 0.1 };
  const operations = makeRegisterHistory(prng, { ...registers, values: 'few' })!;
  const transactions = makeTransactionHistory(prng, { ...lists, level })!;
  return {
    operations: operations.map((item) => ({ ...item, process: `register ${item.process}` })),
    transactions,
  };
}

test(`what is written is read again, seeds ${SEED} on`, () => {
  for (let seed = SEED; seed < SEED + 50; seed++) {
    const history = someHistory(seed);
    expect(parseHistory(formatEvents(eventsOf(history)))).toEqual(history);
  }
});

test('whole operations are read too', () => {
  const history = someHistory(SEED);
  const lines = [...history.operations, ...history.transactions].map((item) => {
    // JSON has no infinity: an unknown end is null.
    return JSON.stringify(item);
  });
  expect(parseHistory(lines.join('\n'))).toEqual(history);
});

test('without times, the order of lines is the order of events', () => {
  const { operations } = parseHistory(`
    {"type":"invoke","process":1,"key":"x","input":{"type":"write","value":1}}
    {"type":"invoke","process":2,"key":"x","input":{"type":"read"}}

    {"type":"ok","process":2,"output":{"type":"read","value":1}}
    {"type":"failed","process":1}
    {"type":"invoke","process":1,"key":"x","input":{"type":"cas","expected":1,"value":2}}
  `);
  const intervals = operations.map(({ call, returned, outcome }) => [call, returned, outcome.type]);
  expect(intervals).toEqual([
    [1, 4, 'failed'],
    [2, 3, 'ok'],
    [5, Infinity, 'unknown'],
  ]);
});

test('a recorder keeps the order of events and takes what never ended as unknown', () => {
  const recorder = new HistoryRecorder();
  recorder.invokeOperation('a', 'x', { type: 'write', value: 1 });
  recorder.invokeTransaction('b', [{ type: 'append', key: 'l', value: 1 }]);
  recorder.operationOk('a', { type: 'write' });
  recorder.invokeOperation('a', 'x', { type: 'read' });
  recorder.operationOk('a', { type: 'read', value: null });
  const history = recorder.history();
  expect(history.transactions).toMatchObject([{ call: 2, returned: Infinity, outcome: 'unknown' }]);
  expect(checkHistory(history, { level })).toMatchObject({ type: 'violation' });
  expect(parseHistory(formatEvents(recorder.events()))).toEqual(history);
});

test('an empty history is no good one', () => {
  expect(checkHistory(parseHistory('\n'), { level }).type).toBe('unknown');
});

const invoke = '{"type":"invoke","process":1,"key":"x","input":{"type":"read"}}';
const ok = '{"type":"ok","process":1,"output":{"type":"read","value":1}}';

test.each([
  ['{', 'line 1: not a JSON object'],
  ['[]', 'line 1: not a JSON object'],
  ['{"type":"ok"}', 'line 1: process: a string or number'],
  ['{"type":"begin","process":1}', 'line 1: no event of a known type'],
  ['{"type":"invoke","process":1}', 'line 1: nothing invoked or ended'],
  [`\n${ok}`, 'line 2: process 1 has invoked nothing'],
  [`${invoke}\n${invoke}`, 'line 2: process 1 has not ended what it invoked'],
  [`${invoke}\n{"type":"ok","process":1,"steps":[]}`, 'line 2: an operation ends with an output'],
  [`${invoke}\n{"type":"failed","process":1,"time":3}`, 'line 2: either all events have a time'],
  ['{"type":"invoke","process":1,"key":"x","input":{"type":"write"}}', 'line 1: input: no read'],
  ['{"type":"invoke","process":1,"input":{"type":"read"}}', 'line 1: key: a string'],
  ['{"type":"invoke","process":1,"steps":[{"type":"append","key":"x"}]}', 'line 1: steps'],
  ['{"process":1,"call":5,"returned":4,"steps":[],"outcome":"failed"}', 'line 1: returned before'],
  ['{"process":1,"call":5,"returned":null,"steps":[],"outcome":"committed"}', 'line 1: returned'],
  ['{"process":1,"call":5,"returned":6,"outcome":{"type":"ok"}}', 'line 1: no input'],
])('%s is refused', (text, message) => {
  expect(() => parseHistory(text)).toThrow(message);
});
