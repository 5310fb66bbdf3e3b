import {
  type ConfState,
  decodeConfChange,
  describeMessage,
  describeReady,
  EMPTY_SNAPSHOT,
  type Entry,
  type HardState,
  holdsSnapshot,
  isEmptyHardState,
  isLocalTarget,
  MemoryStorage,
  type Message,
  MessageType,
  type RaftConfig,
  RawNode,
  type Snapshot,
} from '@themisdb/raft';
import type { ScriptOutput } from './output.ts';

/** The log in memory, whose snapshot is always that of the latest applied state. */
class HistoryStorage extends MemoryStorage {
  #latest: Snapshot = EMPTY_SNAPSHOT;

  setLatest(snapshot: Snapshot): void {
    this.#latest = snapshot;
  }

  override snapshot(): Snapshot {
    return this.#latest;
  }
}

export type NodeOptions = Omit<RaftConfig, 'storage'>;

/**
 * One node of a script: core, log in memory, and a state machine that appends the bytes it applies.
 * Every step of the host's duties is a method of its own, so that a script decides on their order.
 */
export class ScriptNode {
  raw: RawNode;
  readonly storage: HistoryStorage;
  readonly options: NodeOptions;
  /** Storage messages of asynchronous writes, to be worked off. */
  readonly appendWork: Message[] = [];
  readonly applyWork: Message[] = [];
  readonly #output: ScriptOutput;
  #state: Snapshot;

  constructor(options: NodeOptions, initial: Snapshot, output: ScriptOutput) {
    this.options = options;
    this.storage = new HistoryStorage();
    if (initial.metadata.index > 0) this.storage.applySnapshot(initial);
    this.storage.setLatest(initial);
    this.#state = initial;
    this.#output = output;
    this.raw = new RawNode({ ...options, storage: this.storage });
  }

  /** Starts again from the log alone; everything after its first snapshot is applied anew. */
  restart(): void {
    const applied = this.storage.firstIndex() - 1;
    const term = this.storage.term(applied);
    if (typeof term === 'string') throw new Error(`no term for entry ${applied}: ${term}`);
    const { confState } = this.storage.initialState();
    this.#state = { data: undefined, metadata: { index: applied, term, confState } };
    this.storage.setLatest(this.#state);
    this.appendWork.length = 0;
    this.applyWork.length = 0;
    this.raw = new RawNode({ ...this.options, applied, storage: this.storage });
  }

  /** Handles one Ready; returns the messages for other nodes. */
  processReady(): readonly Message[] {
    const ready = this.raw.ready();
    this.#output.write(describeReady(ready));
    if (!this.options.asyncStorageWrites) {
      this.#write(ready.hardState, ready.entries, ready.snapshot);
      this.#apply(ready.committedEntries);
    }
    const outgoing: Message[] = [];
    for (const message of ready.messages) {
      if (!isLocalTarget(message.to)) outgoing.push(message);
      else if (message.type === MessageType.StorageAppend) this.appendWork.push(message);
      else this.applyWork.push(message);
    }
    if (!this.options.asyncStorageWrites) this.raw.advance();
    return outgoing;
  }

  /** Does the oldest append work; returns the responses to deliver. */
  processAppend(): readonly Message[] {
    const work = this.appendWork.shift();
    if (work === undefined) {
      this.#output.write('no append work to perform');
      return [];
    }
    this.#announce(work);
    const { term, vote, commit } = work;
    this.#write({ term, vote, commit }, work.entries, work.snapshot);
    return this.#respond(work);
  }

  /** Does the oldest apply work; returns the responses to deliver. */
  processApply(): readonly Message[] {
    const work = this.applyWork.shift();
    if (work === undefined) {
      this.#output.write('no apply work to perform');
      return [];
    }
    this.#announce(work);
    this.#apply(work.entries);
    return this.#respond(work);
  }

  #announce(work: Message): void {
    this.#output.write(`Processing:\n${describeMessage({ ...work, responses: [] })}\n`);
  }

  #respond({ responses }: Message): readonly Message[] {
    this.#output.writeLine('Responses:');
    for (const response of responses) this.#output.writeLine(describeMessage(response));
    return responses;
  }

  #write(
    hardState: HardState | undefined,
    entries: readonly Entry[],
    snapshot: Snapshot | undefined,
  ): void {
    if (hardState !== undefined && !isEmptyHardState(hardState)) {
      this.storage.setHardState(hardState);
    }
    if (!holdsSnapshot(snapshot)) {
      this.storage.append(entries);
      return;
    }
    if (entries.length > 0) throw new Error("can't apply snapshot and entries at the same time");
    if (this.storage.applySnapshot(snapshot) === 'out-of-date') {
      throw new Error('requested index is older than the existing snapshot');
    }
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const change = decodeConfChange(entry);
      const confState = change && this.raw.applyConfChange(change);
      this.#record(entry, change === undefined ? entry.data : change.context, confState);
    }
  }

  #record(entry: Entry, bytes: Uint8Array | undefined, confState: ConfState | undefined): void {
    const { index, term } = entry;
    const metadata = { index, term, confState: confState ?? this.#state.metadata.confState };
    const data = Uint8Array.from([...(this.#state.data ?? []), ...(bytes ?? [])]);
    this.#state = { data, metadata };
    this.storage.setLatest(this.#state);
  }
}
