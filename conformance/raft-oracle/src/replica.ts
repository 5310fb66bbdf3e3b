import type * as raftModule from '@themisdb/raft';
import type {
  ConfState,
  Entry,
  HardState,
  MemoryStorage,
  Message,
  RawNode,
  Ready,
  Snapshot,
  Storage,
} from '@themisdb/raft';

/** The core under test: the package, or a changed copy of it. */
export type RaftModule = typeof raftModule;

const NO_HARD_STATE: HardState = { term: 0, vote: 0, commit: 0 };

/** What survives a crash: the package's own memory storage, with the host's hard state and membership. */
export class Disk implements Storage {
  readonly log: MemoryStorage;
  hardState: HardState = NO_HARD_STATE;
  confState: ConfState;
  isSnapshotPending: boolean = false;

  constructor(raft: RaftModule) {
    this.log = new raft.MemoryStorage();
    this.confState = this.log.initialState().confState;
  }

  initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.hardState, confState: this.confState };
  }

  entries(lo: number, hi: number, bytesMax: number): ReturnType<Storage['entries']> {
    return this.log.entries(lo, hi, bytesMax);
  }

  term(index: number): ReturnType<Storage['term']> {
    return this.log.term(index);
  }

  firstIndex(): number {
    return this.log.firstIndex();
  }

  lastIndex(): number {
    return this.log.lastIndex();
  }

  snapshot(): Snapshot | undefined {
    return this.isSnapshotPending ? undefined : this.log.snapshot();
  }

  persist(
    snapshot: Snapshot | undefined,
    entries: readonly Entry[],
    hardState: HardState | undefined,
  ): void {
    if (snapshot !== undefined && snapshot.metadata.index > 0) this.log.applySnapshot(snapshot);
    this.log.append(entries);
    if (hardState !== undefined) this.hardState = hardState;
  }
}

/** One node of a replayed scenario, with the work its Readys have asked for. */
export class Replica {
  readonly id: number;
  disk: Disk;
  hasDisk: boolean = false;
  node: RawNode | undefined;
  /** Without asynchronous storage writes: the Ready being worked off. */
  ready: Ready | undefined;
  isAsync: boolean = false;
  readonly appendWork: Message[] = [];
  readonly applyWork: Message[] = [];
  readonly appendDone: Message[] = [];
  readonly applyDone: Message[] = [];

  constructor(raft: RaftModule, id: number) {
    this.id = id;
    this.disk = new Disk(raft);
  }

  /** Forgets everything that is not on disk. */
  crash(): void {
    this.node = undefined;
    this.ready = undefined;
    for (const queue of [this.appendWork, this.applyWork, this.appendDone, this.applyDone]) {
      queue.length = 0;
    }
  }
}
