import { hasCode, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Wal, WalRecord } from '@themisdb/wal';
import type { CommandLog, LogEntry, Proposed, StateMachine } from '../contract/command-log.ts';
import { recordKindOf, RecordReader } from './wal-records.ts';

const term = 1;
const replayBytes: number = 8 * 1024 * 1024;
const retryMs = 200;
/** Log records handed over at once: of a very large command, not all. */
const appendRecordsBytes: number = 128 * 1024 * 1024;

/**
 * A log without replicas: what is durable here is committed. For the packages below replication, whose
 * tests want a store; a server uses the replicated log, with one replica at least.
 */
export class LocalLog implements CommandLog {
  readonly #env: Env;
  readonly #wal: Wal;
  readonly #group: number;
  readonly #machine: StateMachine;
  #committed: LogEntry[] = [];
  #applying: Promise<void> | undefined;
  #appending: Promise<void> = Promise.resolve();
  nextIndex: number;

  private constructor(env: Env, wal: Wal, group: number, machine: StateMachine) {
    this.#env = env;
    this.#wal = wal;
    this.#group = group;
    this.#machine = machine;
    this.nextIndex = machine.applied.index + 1;
  }

  /** Applies what the log has beyond the engine, then takes commits. LOG_CORRUPT. */
  static async start(env: Env, wal: Wal, group: number, machine: StateMachine): Promise<LocalLog> {
    const from = machine.applied.index;
    checkBounds(wal, group, from);
    const log = new LocalLog(env, wal, group, machine);
    machine.attach(log);
    await log.#replay(from + 1);
    log.nextIndex = Math.max(wal.bounds(group)?.last ?? 0, machine.applied.index) + 1;
    const replayed = machine.applied.index - from;
    if (replayed > 0) env.log.write('info', 'replayed the log', { group, records: replayed });
    await machine.lead(term);
    return log;
  }

  propose(datas: readonly Uint8Array[]): Proposed {
    const entries = datas.map((data) => ({ index: this.nextIndex++, term, data }));
    const stored = this.#appending.then(() => this.#append(entries));
    this.#appending = stored;
    return { type: 'taken', term, stored };
  }

  reserve(bytes: number): Promise<void> | undefined {
    return this.#wal.reserve(bytes);
  }

  /** Whoever calls the store is told. */
  failed(): void {}

  release(index: number): Promise<void> {
    return this.#wal.truncateBefore(this.#group, index + 1);
  }

  async #replay(fromIndex: number): Promise<void> {
    const reader = new RecordReader();
    let entries: LogEntry[] = [];
    let bytes = 0;
    for await (const records of this.#wal.replay(this.#group, fromIndex)) {
      for (const record of records) {
        entries.push({ index: record.index, term: record.term, data: reader.data(record) });
        bytes += record.payload.length;
      }
      if (bytes < replayBytes) continue;
      await this.#machine.apply(entries);
      [entries, bytes] = [[], 0];
    }
    if (entries.length > 0) await this.#machine.apply(entries);
  }

  async #append(entries: readonly (LogEntry & { readonly data: Uint8Array })[]): Promise<void> {
    const group = this.#group;
    const records = entries.map(({ index, data }): WalRecord => {
      return { group, index, term, kind: recordKindOf(data), payload: data };
    });
    try {
      for (const part of portions(records)) await this.#appendPortion(part);
    } catch (error) {
      this.#machine.fail(error);
      return;
    }
    for (const entry of entries) this.#committed.push(entry);
    this.#applying ??= this.#applyAll();
  }

  /** Space was reserved; where it is gone all the same, the commits wait for it: they are in the log. */
  async #appendPortion(records: readonly WalRecord[]): Promise<void> {
    for (;;) {
      try {
        return await this.#wal.append(records);
      } catch (error) {
        if (!hasCode(error, 'DISK_FULL')) throw error;
        await this.#env.timers.sleep(retryMs);
      }
    }
  }

  async #applyAll(): Promise<void> {
    while (this.#committed.length > 0) {
      const entries = this.#committed;
      this.#committed = [];
      try {
        await this.#machine.apply(entries);
      } catch (error) {
        // The store has stopped, or given up while it closes, and has told everybody.
        if (!hasCode(error, 'STORE_FAILED', 'SHUTTING_DOWN')) throw error;
      }
    }
    this.#applying = undefined;
  }
}

/** The log must go on where the engine stopped, and must not end before. */
function checkBounds(wal: Wal, group: number, index: number): void {
  const bounds = wal.bounds(group);
  if (bounds === undefined || (bounds.first <= index + 1 && bounds.last >= index)) return;
  throw themisError('LOG_CORRUPT', {
    message: `the engine has applied the log up to index ${index}, but the log holds ${bounds.first} to ${bounds.last}: they do not belong together`,
    details: { applied: index, first: bounds.first, last: bounds.last },
  });
}

function* portions(records: readonly WalRecord[]): Iterable<readonly WalRecord[]> {
  let start = 0;
  let bytes = 0;
  for (const [i, { payload }] of records.entries()) {
    if (i > start && bytes + payload.length > appendRecordsBytes) {
      yield records.slice(start, i);
      start = i;
      bytes = 0;
    }
    bytes += payload.length;
  }
  yield records.slice(start);
}
