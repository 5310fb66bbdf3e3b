import { assert } from '@themisdb/base';
import { DoneSet } from './done-set.ts';
import type { Operation } from './history.ts';
import type { Model } from './model.ts';
import { SeenConfigurations } from './seen-configurations.ts';
import { Timeline } from './timeline.ts';

/**
 * Looks for a linearization of the operations of one key: an order that the model accepts and in
 * which no operation stands after one that was called only when it had returned.
 *
 * Wing and Gong's search as Lowe and, after him, Horn and Kroening and Porcupine do it: place any
 * operation that was called before the first unplaced return, and go back when none fits. Where the
 * same operations were placed before with the same state, nothing new can come. An operation of
 * unknown outcome has no return: it may be placed late or never, and is tried after all others.
 *
 * Exponential at worst in the number of operations under way at the same time, and near linear on
 * histories that are linearizable. The stack is a list of its own, as deep as the history.
 */
export type SearchResult<Input, Output> =
  | { readonly type: 'found' }
  | { readonly type: 'gave-up' }
  | { readonly type: 'none'; readonly stuck: Stuck<Input, Output> };

/** Where the search got furthest. */
export interface Stuck<Input, Output> {
  /** All that returned before it can be linearized, and no more with it. */
  readonly operation: Operation<Input, Output>;
  /** A linearization of all that returned before, and maybe of some that were under way. */
  readonly prefix: readonly Operation<Input, Output>[];
  /** The states, described, that such linearizations end in: up to eight of them. */
  readonly states: readonly string[];
}

export function searchLinearization<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  stepsMax: number,
): SearchResult<Input, Output> {
  return new Search(model, operations, stepsMax).run();
}

interface Frame<State> {
  /** The operation that was placed; those of unknown outcome count from `~0` down. */
  readonly placed: number;
  /** The state before it. */
  readonly state: State;
}

const STATES_MAX = 8;

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  /** In order of call. */
  readonly #completed: Operation<Input, Output>[];
  readonly #pending: Operation<Input, Output>[];
  readonly #timeline: Timeline;
  readonly #done: DoneSet;
  readonly #seen = new SeenConfigurations();
  readonly #frames: Frame<State>[] = [];
  /** Numbers of the pending operations that were placed, sorted. */
  readonly #used: number[] = [];
  readonly #furthest = { at: -1, prefix: [] as number[], states: new Set<string>() };
  #state: State;
  #workLeft: number;

  constructor(
    model: Model<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
    stepsMax: number,
  ) {
    const byCall = operations
      .filter(({ outcome }) => outcome.type !== 'failed')
      .sort((a, b) => a.call - b.call);
    this.#model = model;
    this.#completed = byCall.filter(({ outcome }) => outcome.type === 'ok');
    this.#pending = byCall.filter(({ outcome }) => outcome.type === 'unknown');
    this.#timeline = new Timeline(this.#completed, this.#pending);
    this.#done = new DoneSet(this.#completed.length);
    this.#state = model.initial;
    this.#workLeft = stepsMax;
  }

  run(): SearchResult<Input, Output> {
    let next = this.#timeline.first();
    while (!this.#timeline.isEmpty()) {
      if (this.#workLeft <= 0) return { type: 'gave-up' };
      const placed = this.#placeOne(next);
      if (placed) {
        next = this.#timeline.first();
        continue;
      }
      this.#noteStuck();
      const frame = this.#frames.pop();
      if (frame === undefined) return { type: 'none', stuck: this.#describeStuck() };
      next = this.#takeBack(frame);
    }
    return { type: 'found' };
  }

  /** Places the first candidate from `from` on that leads to something new. */
  #placeOne(from: number): boolean {
    const timeline = this.#timeline;
    for (let at = from; at !== Timeline.none; at = timeline.after(at)) {
      if (this.#tryPlace(at)) return true;
    }
    return false;
  }

  #tryPlace(candidate: number): boolean {
    const isPending = candidate < 0;
    const operation = isPending ? this.#pending[~candidate]! : this.#completed[candidate]!;
    this.#workLeft--;
    const state = this.#model.step(this.#state, operation);
    if (state === undefined) return false;
    this.#mark(candidate);
    const stateKey = this.#model.stateKey(state);
    const key = `${stateKey.length}:${stateKey}${this.#done.key()}`;
    this.#workLeft -= key.length >> 5;
    if (!this.#seen.add(key, this.#used)) {
      this.#unmark(candidate);
      return false;
    }
    this.#timeline.remove(candidate);
    this.#frames.push({ placed: candidate, state: this.#state });
    this.#state = state;
    return true;
  }

  /** Undoes the latest placing and gives the candidate to go on with. */
  #takeBack({ placed, state }: Frame<State>): number {
    this.#timeline.restore(placed);
    this.#unmark(placed);
    this.#state = state;
    return this.#timeline.after(placed);
  }

  #mark(candidate: number): void {
    if (candidate >= 0) return this.#done.add(candidate);
    const at = this.#used.findIndex((index) => index > ~candidate);
    this.#used.splice(at < 0 ? this.#used.length : at, 0, ~candidate);
  }

  #unmark(candidate: number): void {
    if (candidate >= 0) return this.#done.delete(candidate);
    const at = this.#used.indexOf(~candidate);
    assert(at >= 0, 'a pending operation is taken back once');
    this.#used.splice(at, 1);
  }

  /** No candidate is left: remembers this place if the search never got further. */
  #noteStuck(): void {
    const at = this.#timeline.firstReturn();
    const furthest = this.#furthest;
    if (at < furthest.at) return;
    if (at > furthest.at) {
      furthest.at = at;
      furthest.prefix = this.#frames.map(({ placed }) => placed);
      furthest.states.clear();
    }
    if (furthest.states.size < STATES_MAX) {
      furthest.states.add(this.#model.describeState(this.#state));
    }
  }

  #describeStuck(): Stuck<Input, Output> {
    const { at, prefix, states } = this.#furthest;
    const operationOf = (placed: number): Operation<Input, Output> =>
      placed < 0 ? this.#pending[~placed]! : this.#completed[placed]!;
    return {
      operation: this.#completed[this.#timeline.ownerOfReturn(at)]!,
      prefix: prefix.map(operationOf),
      states: [...states],
    };
  }
}
