import {
  type ConfState,
  type Entry,
  type EntryType,
  type HardState,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  type MessageType,
  NO_LIMIT,
  type RaftConfig,
  type ReadState,
  type Snapshot,
  type SoftState,
  type StateType,
} from '@themisdb/raft';

/** Stand-ins for the two reserved ids, which are other numbers in the library. */
export const APPEND_THREAD_NAME = 1_000_001;
export const APPLY_THREAD_NAME = 1_000_002;

/** What a trace says of a node's configuration. */
export type TraceSettings = Omit<RaftConfig, 'id' | 'storage' | 'random' | 'applied'>;

/**
 * Reads the values of a trace in the form that `oracle/encode.go` gives them: unsigned varints,
 * length-prefixed bytes, a byte per flag. Bytes returned share the trace's memory.
 */
export class TraceReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error('the trace ends in the middle of a value');
    return byte;
  }

  uv(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  flag(): boolean {
    return this.u8() === 1;
  }

  bytes(): Uint8Array {
    const length = this.uv();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  optional(): Uint8Array | undefined {
    return this.flag() ? this.bytes() : undefined;
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.uv() }, read);
  }

  ids(): number[] {
    return this.list(() => this.uv());
  }

  entry(): Entry {
    const term = this.uv();
    const index = this.uv();
    const type = this.u8();
    return {
      term,
      index,
      type: type === 0 ? undefined : ((type - 1) as EntryType),
      data: this.optional(),
    };
  }

  entries(): Entry[] {
    return this.list(() => this.entry());
  }

  confState(): ConfState {
    return {
      voters: this.ids(),
      learners: this.ids(),
      votersOutgoing: this.ids(),
      learnersNext: this.ids(),
      autoLeave: this.flag(),
    };
  }

  snapshot(): Snapshot | undefined {
    if (!this.flag()) return undefined;
    const index = this.uv();
    const term = this.uv();
    const confState = this.confState();
    return { data: this.bytes(), metadata: { confState, index, term } };
  }

  hardState(): HardState | undefined {
    return this.flag() ? { term: this.uv(), vote: this.uv(), commit: this.uv() } : undefined;
  }

  softState(): SoftState | undefined {
    return this.flag() ? { lead: this.uv(), raftState: this.u8() as StateType } : undefined;
  }

  readState(): ReadState {
    return { index: this.uv(), context: this.bytes() };
  }

  message(): Message {
    return {
      type: this.u8() as MessageType,
      to: this.#id(),
      from: this.#id(),
      term: this.uv(),
      logTerm: this.uv(),
      index: this.uv(),
      entries: this.entries(),
      commit: this.uv(),
      vote: this.uv(),
      snapshot: this.snapshot(),
      reject: this.flag(),
      rejectHint: this.uv(),
      context: this.bytes(),
      responses: this.list(() => this.message()),
    };
  }

  settings(): TraceSettings {
    return {
      electionTicks: this.uv(),
      heartbeatTicks: this.uv(),
      asyncStorageWrites: this.flag(),
      messageBytesMax: this.#limit(),
      applyingBytesMax: this.#limit(),
      uncommittedBytesMax: this.#limit(),
      inflightMessagesMax: this.uv(),
      inflightBytesMax: this.#limit(),
      checkQuorum: this.flag(),
      preVote: this.flag(),
      readOnlyOption: this.flag() ? 'lease-based' : 'safe',
      disableProposalForwarding: this.flag(),
      disableConfChangeValidation: this.flag(),
      stepDownOnRemoval: this.flag(),
    };
  }

  #limit(): number {
    const value = this.uv();
    return value === 0 ? NO_LIMIT : value - 1;
  }

  #id(): number {
    const id = this.uv();
    if (id === APPEND_THREAD_NAME) return LOCAL_APPEND_THREAD;
    return id === APPLY_THREAD_NAME ? LOCAL_APPLY_THREAD : id;
  }
}
