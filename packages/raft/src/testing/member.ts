import { assert } from '@themisdb/base';
import { decodeConfChange, isConfChangeEntry } from '../confchange/codec.ts';
import { MemoryStorage } from '../memory-storage.ts';
import { holdsSnapshot } from '../message.ts';
import { RawNode } from '../rawnode.ts';
import {
  type ConfState,
  type Entry,
  type HardState,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  type RaftConfig,
  type ReadState,
  type Ready,
  type Snapshot,
} from '../types.ts';
import type { ProgressView } from '../tracker/progress.ts';
import { DEFAULTS, entriesFrom, type Role, roleOf, textOf } from './values.ts';

export interface MemberOptions extends Partial<Omit<RaftConfig, 'storage' | 'id'>> {
  /** Terms of the entries in its storage at the start, from index 1 on. */
  readonly terms?: readonly number[];
  readonly hardState?: Partial<HardState>;
}

const READYS_MAX = 10_000;

/** A log in memory that keeps the membership as of the applied index too, as a host has to. */
class HostStorage extends MemoryStorage {
  confState: ConfState;

  constructor(confState: ConfState) {
    super();
    this.confState = confState;
  }

  override initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: super.initialState().hardState, confState: this.confState };
  }
}

/**
 * A node with a host around it: storage in memory, and an application that remembers what it applied.
 * It drives the node as the contract of `Ready` demands.
 *
 * With `asyncStorageWrites` the disk and the application can be stopped (`holdsWrites`,
 * `holdsApplying`), so that a test decides when a write or an application is done.
 */
export class Member {
  readonly id: number;
  readonly storage: HostStorage;
  readonly applied: Entry[] = [];
  readonly reads: ReadState[] = [];
  readonly readys: Ready[] = [];
  readonly outbox: Message[] = [];
  /** Orders to the disk and to the application that are not done yet. */
  readonly writes: Message[] = [];
  readonly applications: Message[] = [];
  holdsWrites = false;
  holdsApplying = false;
  node: RawNode;
  readonly #config: Omit<RaftConfig, 'storage'>;
  #appliedIndex: number;

  constructor(id: number, initial: Snapshot, options: MemberOptions = {}) {
    const { terms = [], hardState, ...config } = options;
    this.id = id;
    this.#config = { ...DEFAULTS, id, ...config };
    this.storage = new HostStorage(initial.metadata.confState);
    this.#appliedIndex = initial.metadata.index;
    this.storage.applySnapshot(initial);
    this.storage.append(entriesFrom(initial.metadata.index + 1, ...terms));
    if (hardState !== undefined) {
      this.storage.setHardState({ term: 0, vote: 0, commit: 0, ...hardState });
    }
    this.node = new RawNode({ ...this.#config, storage: this.storage });
  }

  get role(): Role {
    return roleOf(this.node.basicStatus().softState.raftState);
  }

  get lead(): number {
    return this.node.basicStatus().softState.lead;
  }

  get term(): number {
    return this.node.basicStatus().hardState.term;
  }

  get vote(): number {
    return this.node.basicStatus().hardState.vote;
  }

  get commit(): number {
    return this.node.basicStatus().hardState.commit;
  }

  get leadTransferee(): number {
    return this.node.basicStatus().leadTransferee;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get confState(): ConfState {
    return this.storage.confState;
  }

  /** Terms of the entries in storage. */
  get logTerms(): number[] {
    const { storage } = this;
    const [first, last] = [storage.firstIndex(), storage.lastIndex()];
    if (last < first) return [];
    const entries = storage.entries(first, last + 1, Number.POSITIVE_INFINITY);
    return typeof entries === 'string' ? [] : entries.map(({ term }) => term);
  }

  /** Payloads of the commands applied, in order; empty entries are no commands. */
  get texts(): string[] {
    const commands = this.applied.filter((entry) => !isConfChangeEntry(entry));
    return commands.map(({ data }) => textOf(data)).filter((text) => text !== '');
  }

  progress(id: number): ProgressView {
    const view = this.node.status().progress.get(id);
    assert(view !== undefined, () => `${this.id} knows no progress of ${id}`);
    return view;
  }

  tick(count = 1): void {
    for (let at = 0; at < count; at++) this.node.tick();
  }

  /** Does all the work there is, save what is held back; what is for other nodes goes to `outbox`. */
  work(): void {
    for (let count = 0; this.#workOnce(); count++) {
      assert(count < READYS_MAX, () => `${this.id} does not come to rest`);
    }
  }

  /** The disk finishes its oldest write. */
  finishWrite(): void {
    const order = this.writes.shift();
    assert(order !== undefined, () => `${this.id} has nothing to write`);
    const { entries, term, vote, commit, snapshot } = order;
    // All zero where the order brings no hard state.
    if (term !== 0) this.storage.setHardState({ term, vote, commit });
    this.#store(entries, snapshot);
    this.#respond(order);
  }

  /** The application finishes its oldest order. */
  finishApplying(): void {
    const order = this.applications.shift();
    assert(order !== undefined, () => `${this.id} has nothing to apply`);
    this.#apply(order.entries);
    this.#respond(order);
  }

  /** Starts again from what is written; orders not done are lost. */
  restart(options: Partial<RaftConfig> = {}): void {
    this.writes.length = 0;
    this.applications.length = 0;
    this.outbox.length = 0;
    const applied = this.#appliedIndex;
    this.node = new RawNode({ ...this.#config, applied, ...options, storage: this.storage });
  }

  /** Makes a snapshot of what is applied and drops the log up to it. */
  compact(index: number = this.#appliedIndex): Snapshot {
    const snapshot = this.storage.createSnapshot(index, this.confState, new Uint8Array(0));
    assert(snapshot !== 'out-of-date', () => `${this.id} has a newer snapshot than ${index}`);
    this.storage.compact(index);
    return snapshot;
  }

  #workOnce(): boolean {
    if (!this.holdsWrites && this.writes.length > 0) {
      this.finishWrite();
    } else if (!this.holdsApplying && this.applications.length > 0) {
      this.finishApplying();
    } else if (this.node.hasReady()) {
      this.#handle(this.node.ready());
    } else {
      return false;
    }
    return true;
  }

  #handle(ready: Ready): void {
    this.readys.push(ready);
    this.reads.push(...ready.readStates);
    if (this.#config.asyncStorageWrites === true) {
      for (const message of ready.messages) this.#route(message);
      return;
    }
    if (ready.hardState !== undefined) this.storage.setHardState(ready.hardState);
    this.#store(ready.entries, ready.snapshot);
    this.outbox.push(...ready.messages);
    this.#apply(ready.committedEntries);
    this.node.advance();
  }

  #route(message: Message): void {
    if (message.to === LOCAL_APPEND_THREAD) this.writes.push(message);
    else if (message.to === LOCAL_APPLY_THREAD) this.applications.push(message);
    else this.outbox.push(message);
  }

  #respond({ responses }: Message): void {
    for (const response of responses) {
      if (response.to === this.id) this.node.step(response);
      else this.outbox.push(response);
    }
  }

  #store(entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    if (holdsSnapshot(snapshot)) {
      assert(this.storage.applySnapshot(snapshot) === 'ok', 'a snapshot came that is too old');
      this.#appliedIndex = snapshot.metadata.index;
      this.storage.confState = snapshot.metadata.confState;
    }
    this.storage.append(entries);
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.#appliedIndex + 1, () => `gap before entry ${entry.index}`);
      const change = decodeConfChange(entry);
      if (change !== undefined) this.storage.confState = this.node.applyConfChange(change);
      this.applied.push(entry);
      this.#appliedIndex = entry.index;
    }
  }
}
