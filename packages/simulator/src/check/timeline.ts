import type { Operation } from './history.ts';

type Interval = Pick<Operation<unknown, unknown>, 'call' | 'returned'>;

/**
 * Calls and returns of the operations that are not placed yet, as a linked list in order of time, from
 * which an operation's two events are lifted out and put back in constant time (the list of Wing and
 * Gong). Calls stand before returns at the same time: operations that touch overlap.
 *
 * Completed operations are numbered from 0 in order of call, and so are pending ones, by themselves.
 * Pending ones have no events in the list.
 */
export class Timeline {
  static readonly none = -1;

  /** Event 0 is the head; the others are in order of time. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** The completed operation of an event: its number for a call, `~number` for a return. */
  readonly #owner: Int32Array;
  readonly #callEvent: Int32Array;
  readonly #returnEvent: Int32Array;
  /** For a pending operation, the last event that is no later than its call. */
  readonly #calledAfter: Int32Array;
  readonly #isUsed: Uint8Array;

  constructor(completed: readonly Interval[], pending: readonly Interval[]) {
    const events = sortedEvents(completed);
    const size = events.length + 1;
    this.#next = Int32Array.from({ length: size }, (_, at) => (at + 1) % size);
    this.#previous = Int32Array.from({ length: size }, (_, at) => (at + size - 1) % size);
    this.#owner = new Int32Array(size).fill(-1);
    this.#callEvent = new Int32Array(completed.length);
    this.#returnEvent = new Int32Array(completed.length);
    events.forEach(({ owner }, at) => {
      this.#owner[at + 1] = owner;
      if (owner >= 0) this.#callEvent[owner] = at + 1;
      else this.#returnEvent[~owner] = at + 1;
    });
    this.#calledAfter = Int32Array.from(pending, ({ call }) => countBefore(events, call));
    this.#isUsed = new Uint8Array(pending.length);
  }

  /** Whether every completed operation is placed. */
  isEmpty(): boolean {
    return this.#next[0] === 0;
  }

  /** The first completed operation that can be placed, or `none`. */
  first(): number {
    return this.#callAt(this.#next[0]!);
  }

  /** The one after it, which may just have been put back; or `none`. */
  after(completed: number): number {
    return this.#callAt(this.#next[this.#callEvent[completed]!]!);
  }

  isPendingOpen(pending: number): boolean {
    return this.#isUsed[pending] === 0 && this.#calledAfter[pending]! < this.firstReturn();
  }

  remove(completed: number): void {
    this.#lift(this.#callEvent[completed]!);
    this.#lift(this.#returnEvent[completed]!);
  }

  /** Undoes the latest `remove` that was not undone. */
  restore(completed: number): void {
    this.#putBack(this.#returnEvent[completed]!);
    this.#putBack(this.#callEvent[completed]!);
  }

  setPendingUsed(pending: number, isUsed: boolean): void {
    this.#isUsed[pending] = isUsed ? 1 : 0;
  }

  /** The event of the first return in the list: nothing called after it can be placed yet. */
  firstReturn(): number {
    let at = this.#next[0]!;
    while (this.#owner[at]! >= 0) at = this.#next[at]!;
    return at;
  }

  ownerOfReturn(event: number): number {
    return ~this.#owner[event]!;
  }

  /** The operation whose call the event is; `none` for a return, at which candidates end. */
  #callAt(event: number): number {
    const owner = this.#owner[event]!;
    return owner >= 0 ? owner : Timeline.none;
  }

  #lift(event: number): void {
    this.#next[this.#previous[event]!] = this.#next[event]!;
    this.#previous[this.#next[event]!] = this.#previous[event]!;
  }

  #putBack(event: number): void {
    this.#next[this.#previous[event]!] = event;
    this.#previous[this.#next[event]!] = event;
  }
}

interface TimelineEvent {
  readonly time: number;
  readonly owner: number;
}

function sortedEvents(completed: readonly Interval[]): TimelineEvent[] {
  const events = completed.flatMap(({ call, returned }, at) => [
    { time: call, owner: at },
    { time: returned, owner: ~at },
  ]);
  // A call (owner from 0) goes before a return (below 0) of the same time.
  return events.sort((a, b) => a.time - b.time || b.owner - a.owner);
}

/** How many events are before a call at `time`: all earlier ones, and the calls at that time. */
function countBefore(events: readonly TimelineEvent[], time: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const event = events[middle]!;
    const isBefore = event.time < time || (event.time === time && event.owner >= 0);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}
