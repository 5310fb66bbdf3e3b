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
 * same operations were placed before with the same state, nothing new can come.
 *
 * Three things are left out because some other order does as well:
 * 1. An operation that fits and never changes a state is placed at once, without alternatives: in any
 *    order that places it later it can be moved here.
 * 2. An operation of unknown outcome has no return: it may be placed late or never. It is placed only
 *    right before one that would go otherwise without it: in any order where it makes no difference
 *    to the next, it can be left out.
 * 3. Of configurations that differ in the unknown operations they used up, the one that used fewer
 *    stands for the other (`SeenConfigurations`).
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

/** A completed operation by its number, or a pending one by the complement (`~`) of its number. */
type Candidate = number;

interface Frame<State> {
  readonly placed: Candidate;
  /** What was there before it. */
  readonly state: State;
  readonly beforePending: { readonly state: State } | undefined;
  /** No alternative is worth trying. */
  readonly isForced: boolean;
}

type Placing = 'placed' | 'unfit' | 'hopeless';

const STATES_MAX = 8;

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  /** In order of call. */
  readonly #completed: Operation<Input, Output>[];
  readonly #pending: Operation<Input, Output>[];
  /** With hints: pending operations by the state they lead to, and the states they wait for. */
  readonly #leadingTo: ReadonlyMap<string, readonly number[]>;
  readonly #wishedByPending: ReadonlySet<string>;
  readonly #timeline: Timeline;
  readonly #done: DoneSet;
  readonly #seen = new SeenConfigurations();
  readonly #frames: Frame<State>[] = [];
  /** Numbers of the pending operations that were placed, sorted. */
  readonly #used: number[] = [];
  readonly #furthest = { at: -1, prefix: [] as Candidate[], states: new Set<string>() };
  #state: State;
  /** If the latest placed is pending: the state before it. */
  #beforePending: { readonly state: State } | undefined;
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
    this.#leadingTo = indexByTarget(model, this.#pending);
    this.#wishedByPending = wishesOf(model, this.#pending);
    this.#timeline = new Timeline(this.#completed, this.#pending);
    this.#done = new DoneSet(this.#completed.length);
    this.#state = model.initial;
    this.#workLeft = stepsMax;
  }

  run(): SearchResult<Input, Output> {
    let from: Candidate | undefined = this.#firstCandidate();
    while (!this.#timeline.isEmpty()) {
      if (this.#workLeft <= 0) return { type: 'gave-up' };
      if (from !== undefined && this.#placeOne(from)) {
        from = this.#firstCandidate();
        continue;
      }
      this.#noteStuck();
      const frame = this.#frames.pop();
      if (frame === undefined) return { type: 'none', stuck: this.#describeStuck() };
      from = this.#takeBack(frame);
    }
    return { type: 'found' };
  }

  #firstCandidate(): Candidate {
    const first = this.#timeline.first();
    return first === Timeline.none ? ~0 : first;
  }

  /** Places the first candidate from `from` on that leads to something new. */
  #placeOne(from: Candidate): boolean {
    const timeline = this.#timeline;
    if (from >= 0) {
      for (let at = from; at !== Timeline.none; at = timeline.after(at)) {
        const placing = this.#tryPlace(at);
        if (placing !== 'unfit') return placing === 'placed';
      }
    }
    const pending = this.#wantedPending(from >= 0 ? 0 : ~from);
    return pending.some((number) => this.#tryPlace(~number) === 'placed');
  }

  /** Pending operations from `first` on that lead to a state which some other candidate waits for. */
  #wantedPending(first: number): number[] {
    if (first >= this.#pending.length) return [];
    const keys = this.#wishedStates();
    this.#workLeft -= (keys?.size ?? this.#pending.length) >> 3;
    const numbers =
      keys === undefined
        ? [...this.#pending.keys()]
        : [...keys].flatMap((key) => this.#leadingTo.get(key) ?? []).sort((a, b) => a - b);
    return numbers.filter((number) => number >= first && this.#timeline.isPendingOpen(number));
  }

  /** Keys of states; undefined if any may do. */
  #wishedStates(): Set<string> | undefined {
    const { hints } = this.#model;
    if (hints === undefined) return undefined;
    const keys = new Set(this.#wishedByPending);
    const timeline = this.#timeline;
    for (let at = timeline.first(); at !== Timeline.none; at = timeline.after(at)) {
      const wish = hints.wish(this.#state, this.#completed[at]!);
      if (wish.type === 'any') return undefined;
      if (wish.type === 'state') keys.add(wish.key);
    }
    return keys;
  }

  #tryPlace(candidate: Candidate): Placing {
    const isPending = candidate < 0;
    const operation = isPending ? this.#pending[~candidate]! : this.#completed[candidate]!;
    this.#workLeft--;
    const state = this.#model.step(this.#state, operation);
    if (state === undefined) return 'unfit';
    const key = this.#model.stateKey(state);
    if (isPending && key === this.#model.stateKey(this.#state)) return 'unfit';
    if (this.#makesPendingVain(operation, key)) return 'unfit';
    const isForced = !isPending && this.#model.isObserver(operation);
    this.#mark(candidate);
    if (!isPending && !this.#isNew(key)) {
      this.#unmark(candidate);
      return isForced ? 'hopeless' : 'unfit';
    }
    if (isPending) this.#timeline.setPendingUsed(~candidate, true);
    else this.#timeline.remove(candidate);
    this.#frames.push({
      placed: candidate,
      state: this.#state,
      beforePending: this.#beforePending,
      isForced,
    });
    this.#beforePending = isPending ? { state: this.#state } : undefined;
    this.#state = state;
    return 'placed';
  }

  /** Whether the operation ends in the same state without the pending one placed right before. */
  #makesPendingVain(operation: Operation<Input, Output>, key: string): boolean {
    if (this.#beforePending === undefined) return false;
    const without = this.#model.step(this.#beforePending.state, operation);
    return without !== undefined && this.#model.stateKey(without) === key;
  }

  #isNew(stateKey: string): boolean {
    const key = `${stateKey.length}:${stateKey}${this.#done.key()}`;
    this.#workLeft -= key.length >> 5;
    return this.#seen.add(key, this.#used);
  }

  /** Undoes the latest placing and gives the candidate to go on with, if there is one. */
  #takeBack({ placed, state, beforePending, isForced }: Frame<State>): Candidate | undefined {
    if (placed < 0) this.#timeline.setPendingUsed(~placed, false);
    else this.#timeline.restore(placed);
    this.#unmark(placed);
    this.#state = state;
    this.#beforePending = beforePending;
    if (isForced) return undefined;
    if (placed < 0) return ~(~placed + 1);
    const next = this.#timeline.after(placed);
    return next === Timeline.none ? ~0 : next;
  }

  #mark(candidate: Candidate): void {
    if (candidate >= 0) return this.#done.add(candidate);
    const at = this.#used.findIndex((index) => index > ~candidate);
    this.#used.splice(at < 0 ? this.#used.length : at, 0, ~candidate);
  }

  #unmark(candidate: Candidate): void {
    if (candidate >= 0) return this.#done.delete(candidate);
    const at = this.#used.indexOf(~candidate);
    assert(at >= 0, 'a pending operation is taken back once');
    this.#used.splice(at, 1);
  }

  /** No candidate is left: remembers this place if the search never got further. */
  #noteStuck(): void {
    // The state without the pending operation is noted, and explained, by the frame below.
    if (this.#beforePending !== undefined) return;
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
    const operationOf = (placed: Candidate): Operation<Input, Output> =>
      placed < 0 ? this.#pending[~placed]! : this.#completed[placed]!;
    return {
      operation: this.#completed[this.#timeline.ownerOfReturn(at)]!,
      prefix: prefix.map(operationOf),
      states: [...states],
    };
  }
}

function indexByTarget<State, Input, Output>(
  { hints }: Model<State, Input, Output>,
  pending: readonly Operation<Input, Output>[],
): Map<string, number[]> {
  const index = new Map<string, number[]>();
  if (hints === undefined) return index;
  pending.forEach((operation, number) => {
    const key = hints.leadsTo(operation);
    const numbers = index.get(key);
    if (numbers === undefined) index.set(key, [number]);
    else numbers.push(number);
  });
  return index;
}

function wishesOf<State, Input, Output>(
  { hints, initial }: Model<State, Input, Output>,
  pending: readonly Operation<Input, Output>[],
): Set<string> {
  const keys = new Set<string>();
  for (const operation of pending) {
    const wish = hints?.wish(initial, operation);
    assert(wish?.type !== 'any', 'a pending operation waits for one state or for none');
    if (wish?.type === 'state') keys.add(wish.key);
  }
  return keys;
}
