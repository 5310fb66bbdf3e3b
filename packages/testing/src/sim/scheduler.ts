import { assert, InvariantError } from '@themisdb/base';

// Taken once, so that a test that fakes timers does not fake this one.
declare function setImmediate(run: () => void): unknown;
const nextTurn = setImmediate;

export interface SimEvent {
  cancel(): void;
}

interface QueuedEvent extends SimEvent {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export interface RunLimits {
  /** Virtual time the task may take. Default one day. */
  readonly virtualMsMax?: number;
  /** Events the task may use: a guard against loops that never finish. Default ten million. */
  readonly eventsMax?: number;
}

/**
 * Virtual time and the queue of what happens in it. An event runs at its time, ties in the order of
 * their making; virtual time stands still while code runs, and jumps to the next event when all is
 * quiet.
 *
 * Between two events every pending microtask runs, as in Node.js between two callbacks of the event
 * loop. JavaScript cannot ask whether the microtask queue is empty, so the loop steps through one
 * `setImmediate`, which the engine runs only when it is. It has no delay, measures no time and
 * carries no data: nothing of the real world reaches the simulation through it.
 */
export class SimScheduler {
  #nowMs = 0;
  #order = 0;
  #events = 0;
  #running = false;
  readonly #heap: QueuedEvent[] = [];

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events run so far. */
  get events(): number {
    return this.#events;
  }

  at(delayMs: number, run: () => void): SimEvent {
    assert(delayMs >= 0, () => `an event cannot lie ${delayMs} ms ahead`);
    const event: QueuedEvent = {
      atMs: this.#nowMs + delayMs,
      order: this.#order++,
      run,
      cancel() {
        this.run = undefined;
      },
    };
    push(this.#heap, event);
    return event;
  }

  /**
   * Starts `task` and lets virtual time pass until it settles; answers with its outcome. Rejects with
   * an InvariantError when nothing is left that could make it settle, or a limit is reached. What
   * else is queued stays so, for the next run.
   */
  async run<T>(task: () => Promise<T>, limits: RunLimits = {}): Promise<T> {
    assert(!this.#running, 'the scheduler runs already');
    this.#running = true;
    try {
      return await this.#drive(task, limits);
    } finally {
      this.#running = false;
    }
  }

  async #drive<T>(task: () => Promise<T>, limits: RunLimits): Promise<T> {
    const endMs = this.#nowMs + (limits.virtualMsMax ?? 86_400_000);
    const eventsEnd = this.#events + (limits.eventsMax ?? 10_000_000);
    let settled = false;
    const outcome = Promise.resolve().then(task);
    const settle = (): void => {
      settled = true;
    };
    outcome.then(settle, settle);
    for (;;) {
      await quiet();
      if (settled) return await outcome;
      if (!this.#step()) this.#fail('deadlock: the task waits and nothing is left to run');
      if (this.#nowMs > endMs) this.#fail('the task runs longer than its virtual time limit');
      if (this.#events > eventsEnd) this.#fail('the task used up its limit of events');
    }
  }

  #step(): boolean {
    for (;;) {
      const event = pop(this.#heap);
      if (event === undefined) return false;
      const { run } = event;
      if (run === undefined) continue;
      this.#nowMs = event.atMs;
      this.#events++;
      run();
      return true;
    }
  }

  #fail(reason: string): never {
    throw new InvariantError(`${reason}, at ${this.#nowMs} ms after ${this.#events} events`);
  }
}

function quiet(): Promise<void> {
  return new Promise((resolve) => void nextTurn(resolve));
}

function before(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: QueuedEvent[], event: QueuedEvent): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(event, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: QueuedEvent[]): QueuedEvent | undefined {
  const top = heap[0];
  const event = heap.pop();
  if (top === undefined || event === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, event)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = event;
  return top;
}
