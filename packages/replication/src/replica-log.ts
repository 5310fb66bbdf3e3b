import { hasCode, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import {
  EntryType,
  type Compacted,
  type ConfState,
  type Entry,
  type HardState,
  type Snapshot,
  type Storage,
  type Unavailable,
} from '@themisdb/raft';
import { recordKindOf, RecordReader, type AppliedPlace } from '@themisdb/storage';
import type { Wal, WalRecord } from '@themisdb/wal';
import { EntryCache } from './entry-cache.ts';
import { decodeState, encodeState, type ReplicaState } from './state-record.ts';

/** Kinds of log records beyond those of the store. */
const kind = { confChange: 16, confChangeV2: 17, state: 18 } as const;
/** Records of a group of its own, so that entries keep their indexes. */
const stateGroupOf = (shard: number): number => (shard | 0x8000_0000) >>> 0;
const stateRecordsMax = 64;
const retryMs = 200;
/** Of one append to the log. */
const appendBytesMax: number = 128 * 1024 * 1024;

export interface ReplicaLogOptions {
  readonly env: Env;
  readonly wal: Wal;
  readonly shard: number;
  readonly nodeId: number;
  /** How far the engine is, when it is asked. */
  readonly applied: () => AppliedPlace;
  /** Likewise: who is a member as of the applied place. */
  readonly confState: () => ConfState;
  /** The engine holds nothing of use: it will be fetched, and the log goes on from there. */
  readonly isRebuilding: boolean;
  /** The state that another replica gets, while it is being made: undefined. */
  readonly snapshot: () => Snapshot | undefined;
}

/**
 * The log of one replica: what the core reads (`Storage`), in memory, and what makes it durable, in the
 * log all replicas of this node share.
 */
export class ReplicaLog implements Storage {
  readonly #options: ReplicaLogOptions;
  readonly cache: EntryCache;
  #state: ReplicaState;
  #stateIndex: number;
  /** Of the newest state record that is written. */
  #writtenState = 0;
  #stateRecords = 0;
  #lastWrite: Promise<void> = Promise.resolve();
  #isGivenUp = false;

  private constructor(
    options: ReplicaLogOptions,
    parts: { cache: EntryCache; state: ReplicaState; stateIndex: number },
  ) {
    this.#options = options;
    this.cache = parts.cache;
    this.#state = parts.state;
    this.#stateIndex = parts.stateIndex;
  }

  /** LOG_CORRUPT; CONFIG_INVALID when the log belongs to another replica. */
  static async open(options: ReplicaLogOptions): Promise<ReplicaLog> {
    const { wal, shard, env, nodeId } = options;
    const applied = options.applied();
    const found = await readState(wal, shard);
    const entries = await readEntries(wal, shard);
    if (found !== undefined && found.state.nodeId !== nodeId)
      throw themisError('CONFIG_INVALID', {
        message: `the data belongs to node ${found.state.nodeId}; configured is node ${nodeId}`,
      });
    const isWithoutState = options.isRebuilding || found?.state.installing !== undefined;
    const cache = isWithoutState ? looseCache(entries) : cacheOf(entries, applied);
    const state = found?.state ?? {
      nodeId,
      incarnation: env.random.u32() * 0x1_0000 + (env.random.u32() & 0xffff),
      // A log from before there were replicas: its entries were all of term 1.
      term: entries.at(-1)?.term ?? applied.term,
      vote: 0,
      installing: undefined,
      changedAt: 0,
      peers: new Map<number, number>(),
    };
    const log = new ReplicaLog(options, { cache, state, stateIndex: found?.index ?? 0 });
    if (found === undefined) await log.saveState({});
    return log;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  // What the core asks.

  initialState(): { hardState: HardState; confState: ConfState } {
    const { term, vote } = this.#state;
    // What was applied was committed; the commit index itself is not worth a write of its own.
    const known = Math.max(this.#options.applied().index, this.cache.before.index);
    // Nor may a change of members be forgotten that was in force.
    const commit = Math.max(known, Math.min(this.#state.changedAt, this.cache.lastIndex));
    return { hardState: { term, vote, commit }, confState: this.#options.confState() };
  }

  firstIndex(): number {
    return this.cache.firstIndex;
  }

  lastIndex(): number {
    return this.cache.lastIndex;
  }

  term(index: number): number | Compacted | Unavailable {
    return this.cache.term(index);
  }

  entries(lo: number, hi: number, bytesMax: number): readonly Entry[] | Compacted | Unavailable {
    return this.cache.slice(lo, hi, bytesMax);
  }

  snapshot(): Snapshot | undefined {
    return this.#options.snapshot();
  }

  // What the driver does.

  /**
   * Makes runs of entries and the hard state durable, waiting for space where there is none. A run may
   * replace the end of one before it.
   */
  async append(
    runs: readonly (readonly Entry[])[],
    hardState: { readonly term: number; readonly vote: number } | undefined,
  ): Promise<void> {
    const records: WalRecord[] = [];
    // In front: entries of a term must not outlive the knowledge of that term.
    if (hardState !== undefined && this.#isNew(hardState))
      records.push(this.#stateRecord({ ...this.#state, ...hardState }));
    for (const run of runs) for (const entry of run) records.push(this.#entryRecord(entry));
    if (records.length > 0) await this.#write(records);
    for (const run of runs) this.cache.append(run);
    await this.#trimState();
  }

  async saveState(change: Partial<ReplicaState>): Promise<void> {
    await this.#write([this.#stateRecord({ ...this.#state, ...change })]);
  }

  /**
   * A snapshot up to `before` has taken the place of the entries up to there. Those behind it stay if
   * they follow it: they may have been acknowledged.
   */
  async startFrom(before: { readonly index: number; readonly term: number }): Promise<void> {
    const { wal, shard } = this.#options;
    if (this.cache.term(before.index) === before.term) {
      this.cache.compact(before.index);
      await this.truncateBefore(before.index);
      return;
    }
    const last = wal.bounds(shard)?.last;
    if (last !== undefined) await wal.truncateBefore(shard, last + 1);
    this.cache.restart(before);
  }

  /** Entries below `index` are needed neither by the engine nor by a peer. */
  async truncateBefore(index: number): Promise<void> {
    const { wal, shard } = this.#options;
    const bounds = wal.bounds(shard);
    if (bounds !== undefined && index > bounds.first) await wal.truncateBefore(shard, index);
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** The replica closes: a full disk is not waited for any more. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  #isNew({ term, vote }: { readonly term: number; readonly vote: number }): boolean {
    return term !== this.#state.term || vote !== this.#state.vote;
  }

  #stateRecord(state: ReplicaState): WalRecord {
    this.#state = state;
    this.#stateRecords++;
    return {
      group: stateGroupOf(this.#options.shard),
      index: ++this.#stateIndex,
      term: state.term,
      kind: kind.state,
      payload: encodeState(state),
    };
  }

  #entryRecord({ index, term, type, data }: Entry): WalRecord {
    const payload = data ?? new Uint8Array(0);
    const group = this.#options.shard;
    if (type === EntryType.ConfChange)
      return { group, index, term, kind: kind.confChange, payload };
    if (type === EntryType.ConfChangeV2)
      return { group, index, term, kind: kind.confChangeV2, payload };
    return { group, index, term, kind: recordKindOf(data), payload };
  }

  async #trimState(): Promise<void> {
    if (this.#stateRecords < stateRecordsMax) return;
    this.#stateRecords = 0;
    // Others may be on their way, and not get there.
    await this.#options.wal.truncateBefore(stateGroupOf(this.#options.shard), this.#writtenState);
  }

  /** One after the other: what waits for space must not come behind what was said later. */
  #write(records: readonly WalRecord[]): Promise<void> {
    const written = this.#lastWrite.then(() => this.#writeNow(records));
    this.#lastWrite = written.catch(() => undefined);
    return written;
  }

  async #writeNow(records: readonly WalRecord[]): Promise<void> {
    for (const part of portions(records)) await this.#writePortion(part);
    const { shard } = this.#options;
    const last = records.findLast(({ group }) => group === stateGroupOf(shard));
    if (last !== undefined) this.#writtenState = last.index;
  }

  /** What is in the log of a leader cannot be taken back: a full disk is waited for. */
  async #writePortion(records: readonly WalRecord[]): Promise<void> {
    const { env, wal } = this.#options;
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await wal.append(records);
      } catch (error) {
        if (!hasCode(error, 'DISK_FULL') || this.#isGivenUp) throw error;
        if (isFirst) env.log.write('warn', 'the log has no space left; trying again', {});
        await env.timers.sleep(retryMs);
      }
    }
  }
}

async function readState(
  wal: Wal,
  shard: number,
): Promise<{ readonly state: ReplicaState; readonly index: number } | undefined> {
  let last: WalRecord | undefined;
  for await (const records of wal.replay(stateGroupOf(shard))) last = records.at(-1) ?? last;
  if (last === undefined) return undefined;
  const { kind: found, index, payload } = last;
  if (found !== kind.state)
    throw themisError('FORMAT_UNKNOWN', {
      message: `record ${index} of the replica's state is of kind ${found}; ${kind.state} is known`,
    });
  return { state: decodeState(payload.slice()), index };
}

async function readEntries(wal: Wal, shard: number): Promise<Entry[]> {
  const reader = new RecordReader();
  const entries: Entry[] = [];
  for await (const records of wal.replay(shard)) {
    for (const record of records) entries.push(entryOf(record, reader));
  }
  return entries;
}

function entryOf(record: WalRecord, reader: RecordReader): Entry {
  const { index, term, payload } = record;
  if (record.kind === kind.confChange)
    return { index, term, type: EntryType.ConfChange, data: payload };
  if (record.kind === kind.confChangeV2) {
    const data = payload.length === 0 ? undefined : payload;
    return { index, term, type: EntryType.ConfChangeV2, data };
  }
  return { index, term, type: undefined, data: reader.data(record) };
}

/** The first record kept tells the term of the place before the rest. */
function cacheOf(entries: readonly Entry[], applied: AppliedPlace): EntryCache {
  const first = entries[0];
  const last = entries.at(-1);
  if (first === undefined || last === undefined)
    return new EntryCache({ index: applied.index, term: applied.term });
  if (first.index > applied.index + 1 || last.index < applied.index)
    throw themisError('LOG_CORRUPT', {
      message: `the engine has applied the log up to index ${applied.index}, but the log holds ${first.index} to ${last.index}: they do not belong together`,
      details: { applied: applied.index, first: first.index, last: last.index },
    });
  const startsBehind = first.index === applied.index + 1;
  const cache = new EntryCache(startsBehind ? applied : first);
  cache.append(startsBehind ? entries : entries.slice(1));
  return cache;
}

/** Entries without a state below them yet. */
function looseCache(entries: readonly Entry[]): EntryCache {
  const [first, ...rest] = entries;
  const cache = new EntryCache(first ?? { index: 0, term: 0 });
  cache.append(rest);
  return cache;
}

function* portions(records: readonly WalRecord[]): Iterable<readonly WalRecord[]> {
  let start = 0;
  let bytes = 0;
  for (const [i, { payload }] of records.entries()) {
    if (i > start && bytes + payload.length > appendBytesMax) {
      yield records.slice(start, i);
      start = i;
      bytes = 0;
    }
    bytes += payload.length;
  }
  yield records.slice(start);
}
