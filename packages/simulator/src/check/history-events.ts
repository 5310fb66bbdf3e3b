import type { Process } from './history.ts';
import type { Step, Transaction } from './list-append/transaction.ts';
import type { RegisterInput, RegisterOperation, RegisterOutput } from './register.ts';

/** Everything that was recorded; either part may be empty. */
export interface History {
  readonly operations: readonly RegisterOperation[];
  readonly transactions: readonly Transaction[];
}

/**
 * What a client does and learns, as it is recorded. A process alternates: it invokes, and then
 * something ends it. One that never ends has an unknown outcome. Events of all processes stand in the
 * order in which they happened, or all have a `time` of one clock; of these, only the events of each
 * process need to be in order.
 */
export type HistoryEvent = InvokeEvent | EndEvent;

export type InvokeEvent = InvokeOperation | InvokeTransaction;

interface InvokeOperation extends Moment {
  readonly type: 'invoke';
  readonly key: string;
  readonly input: RegisterInput;
}

interface InvokeTransaction extends Moment {
  readonly type: 'invoke';
  /** Reads have no values yet. Where the appends are not known before, `unknown` must bring them. */
  readonly steps: readonly Step[];
}

export type EndEvent = Moment &
  (
    | { readonly type: 'ok'; readonly output: RegisterOutput }
    | { readonly type: 'ok'; readonly steps: readonly Step[] }
    | { readonly type: 'failed' | 'unknown'; readonly steps?: readonly Step[] | undefined }
  );

interface Moment {
  readonly process: Process;
  readonly time?: number | undefined;
}

/** Events that fit no history. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
}

/**
 * The history that the events tell. Fails with `HistoryError` where they contradict each other;
 * `nameOf` says which event it was, by default its number from 1.
 */
export function pairEvents(
  events: readonly HistoryEvent[],
  nameOf: (at: number) => string = (at) => `event ${at + 1}`,
): History {
  const open = new Map<Process, { event: InvokeEvent; call: number }>();
  const operations: RegisterOperation[] = [];
  const transactions: Transaction[] = [];
  const add = (invoke: InvokeEvent, call: number, end: EndEvent, returned: number): void => {
    if ('input' in invoke) operations.push(makeOperation(invoke, call, end, returned));
    else transactions.push(makeTransaction(invoke, call, end, returned));
  };
  const isTimed = events[0]?.time !== undefined;
  events.forEach((event, at) => {
    const fail = (reason: string): never => {
      throw new HistoryError(`${nameOf(at)}: ${reason}`);
    };
    if ((event.time !== undefined) !== isTimed) fail('either all events have a time or none');
    const time = event.time ?? at + 1;
    const invoked = open.get(event.process);
    if (event.type === 'invoke') {
      if (invoked !== undefined) fail(`process ${event.process} has not ended what it invoked`);
      open.set(event.process, { event, call: time });
      return;
    }
    if (invoked === undefined) return fail(`process ${event.process} has invoked nothing`);
    if (time < invoked.call) fail('ends before it was invoked');
    if (event.type === 'ok' && 'output' in event !== 'input' in invoked.event) {
      fail('an operation ends with an output, a transaction with steps');
    }
    open.delete(event.process);
    add(invoked.event, invoked.call, event, time);
  });
  for (const [process, { event, call }] of open) {
    add(event, call, { type: 'unknown', process }, Number.POSITIVE_INFINITY);
  }
  return { operations: operations.sort(byCall), transactions: transactions.sort(byCall) };
}

const byCall = (a: { call: number }, b: { call: number }): number => a.call - b.call;

function makeOperation(
  { process, key, input }: InvokeOperation,
  call: number,
  end: EndEvent,
  time: number,
): RegisterOperation {
  const returned = end.type === 'unknown' ? Number.POSITIVE_INFINITY : time;
  if (end.type !== 'ok') {
    return { process, key, input, call, returned, outcome: { type: end.type } };
  }
  const { output } = end as { output: RegisterOutput };
  return { process, key, input, call, returned, outcome: { type: 'ok', output } };
}

function makeTransaction(
  invoke: InvokeTransaction,
  call: number,
  end: EndEvent,
  time: number,
): Transaction {
  const steps = ('steps' in end ? end.steps : undefined) ?? invoke.steps;
  const returned = end.type === 'unknown' ? Number.POSITIVE_INFINITY : time;
  const outcome = end.type === 'ok' ? 'committed' : end.type;
  return { process: invoke.process, call, returned, outcome, steps };
}

/** The events of a history, by time. Processes must not have done two things at once. */
export function eventsOf({ operations, transactions }: History): HistoryEvent[] {
  const items = [...operations, ...transactions].sort(byCall);
  const events = items.flatMap((item, rank) =>
    [invokeEvent(item), endEvent(item)].map((event) => ({ event, rank })),
  );
  // What a process did first comes first, also where the next begins at the same time.
  events.sort((a, b) => a.event.time! - b.event.time! || a.rank - b.rank);
  return events.map(({ event }) => event);
}

function invokeEvent(item: RegisterOperation | Transaction): HistoryEvent {
  const { process, call: time } = item;
  if ('input' in item) return { type: 'invoke', process, time, key: item.key, input: item.input };
  const steps = item.steps.map((step): Step => {
    return step.type === 'read' ? { type: 'read', key: step.key } : step;
  });
  return { type: 'invoke', process, time, steps };
}

function endEvent(item: RegisterOperation | Transaction): HistoryEvent {
  const { process, call, returned } = item;
  const time = Number.isFinite(returned) ? returned : call;
  if ('input' in item) {
    const { outcome } = item;
    return outcome.type === 'ok'
      ? { type: 'ok', process, time, output: outcome.output }
      : { type: outcome.type, process, time };
  }
  const { outcome, steps } = item;
  if (outcome === 'committed') return { type: 'ok', process, time, steps };
  return { type: outcome, process, time, steps };
}
