import { HistoryError, pairEvents, type History, type HistoryEvent } from './history-events.ts';
import type { Step, Transaction } from './list-append/transaction.ts';
import type { RegisterOperation } from './register.ts';

/**
 * Histories as files: JSON, one event a line, in the shape of `HistoryEvent`.
 *
 *     {"type":"invoke","process":1,"time":0.5,"key":"x","input":{"type":"write","value":3}}
 *     {"type":"ok","process":1,"time":1.5,"output":{"type":"write"}}
 *     {"type":"invoke","process":2,"time":2,"steps":[{"type":"append","key":"l","value":1}]}
 *     {"type":"unknown","process":2,"time":9}
 *
 * A line may also hold a whole `Operation` or `Transaction`, with `call` and `returned` (null for an
 * unknown end) on the clock that the events have, if there are any. Empty lines count for nothing.
 * Files of several processes with one clock can be put together in any order.
 */
export function parseHistory(text: string): History {
  const events: { event: HistoryEvent; line: number }[] = [];
  const operations: RegisterOperation[] = [];
  const transactions: Transaction[] = [];
  text.split('\n').forEach((content, at) => {
    if (content.trim() === '') return;
    const item = parseLine(content, at + 1);
    if ('event' in item) events.push({ event: item.event, line: at + 1 });
    else if ('operation' in item) operations.push(item.operation);
    else transactions.push(item.transaction);
  });
  const hasWhole = operations.length + transactions.length > 0;
  if (hasWhole && events.some(({ event }) => event.time === undefined)) {
    throw new HistoryError('events beside whole operations need a time');
  }
  const paired = pairEvents(
    events.map(({ event }) => event),
    (at) => `line ${events[at]!.line}`,
  );
  return {
    operations: [...paired.operations, ...operations],
    transactions: [...paired.transactions, ...transactions],
  };
}

/** One line for each event, each with its end. */
export function formatEvents(events: readonly HistoryEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

type Line =
  | { readonly event: HistoryEvent }
  | { readonly operation: RegisterOperation }
  | { readonly transaction: Transaction };

type Fields = Readonly<Record<string, unknown>>;

function parseLine(content: string, line: number): Line {
  const need = (isRight: boolean, what: string): void => {
    if (!isRight) throw new HistoryError(`line ${line}: ${what}`);
  };
  const fields = parseJson(content);
  need(fields !== undefined, 'not a JSON object');
  const { process } = fields!;
  need(typeof process === 'string' || typeof process === 'number', 'process: a string or number');
  if (fields!['call'] !== undefined) return wholeItem(fields!, need);
  need(isOneOf(fields!['type'], 'invoke', 'ok', 'failed', 'unknown'), 'no event of a known type');
  const { time, type } = fields!;
  need(time === undefined || typeof time === 'number', 'time: a number');
  needContent(fields!, need);
  const hasContent = fields!['input'] ?? fields!['output'] ?? fields!['steps'];
  need(hasContent !== undefined || !isOneOf(type, 'invoke', 'ok'), 'nothing invoked or ended');
  return { event: fields as unknown as HistoryEvent };
}

function wholeItem(fields: Fields, need: (isRight: boolean, what: string) => void): Line {
  const { call, outcome } = fields;
  const returned = fields['returned'] ?? Number.POSITIVE_INFINITY;
  need(typeof call === 'number' && typeof returned === 'number', 'call, returned: numbers');
  need((returned as number) >= (call as number), 'returned before it was called');
  needContent(fields, need);
  if (fields['steps'] !== undefined) {
    need(isOneOf(outcome, 'committed', 'failed', 'unknown'), 'no outcome of a known type');
    need(outcome === 'unknown' || returned !== Infinity, 'returned: a number');
    const end = outcome === 'unknown' ? Infinity : returned;
    return { transaction: { ...fields, returned: end } as unknown as Transaction };
  }
  const { type, output } = isObject(outcome) ? outcome : {};
  need(isOneOf(type, 'ok', 'failed', 'unknown'), 'outcome: no known type');
  need(fields['input'] !== undefined, 'no input');
  need(type === 'unknown' || returned !== Infinity, 'returned: a number');
  need(type !== 'ok' || isOutput(output), 'outcome: no known output');
  const end = type === 'unknown' ? Infinity : returned;
  return { operation: { ...fields, returned: end } as unknown as RegisterOperation };
}

/** Whatever of key, input, output and steps is there is well formed. */
function needContent(fields: Fields, need: (isRight: boolean, what: string) => void): void {
  const { key, input, output, steps } = fields;
  need(input === undefined || typeof key === 'string', 'key: a string');
  need(input === undefined || isInput(input), 'input: no read, write or cas of scalars');
  need(output === undefined || isOutput(output), 'output: no result of read, write or cas');
  need(
    steps === undefined || (Array.isArray(steps) && steps.every(isStep)),
    'steps: not understood',
  );
}

function isInput(input: unknown): boolean {
  if (!isObject(input)) return false;
  const { type, value, expected } = input;
  if (type === 'read') return true;
  if (type === 'write') return isScalar(value);
  return type === 'cas' && isScalar(value) && isScalar(expected);
}

function isOutput(output: unknown): boolean {
  if (!isObject(output)) return false;
  const { type, value, swapped } = output;
  if (type === 'read') return isScalar(value);
  return type === 'write' || (type === 'cas' && typeof swapped === 'boolean');
}

function isStep(step: unknown): step is Step {
  if (!isObject(step) || typeof step['key'] !== 'string') return false;
  const { type, value, values } = step;
  if (type === 'append') return isListValue(value);
  return (
    type === 'read' &&
    (values === undefined || (Array.isArray(values) && values.every(isListValue)))
  );
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === 'boolean' || isListValue(value);
}

function isListValue(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function isOneOf(value: unknown, ...of: string[]): boolean {
  return of.includes(value as string);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
