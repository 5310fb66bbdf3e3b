import { hasCode } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Wal, WalRecord, WalStats } from '@themisdb/wal';
import type { Ledger, LoggedEntry } from './ledger.ts';
import { hashOf } from './ledger.ts';

/** Passes everything on, and tells the ledger. */
export class WatchedWal implements Wal {
  readonly #inner: Wal;
  readonly #ledger: Ledger;
  readonly #onAppend: () => void;
  readonly #onReplaced: () => void;
  readonly #refuses: (records: readonly WalRecord[]) => boolean;

  constructor(
    inner: Wal,
    ledger: Ledger,
    on: {
      readonly append: () => void;
      readonly replaced: () => void;
      readonly refuses: (records: readonly WalRecord[]) => boolean;
    },
  ) {
    this.#inner = inner;
    this.#ledger = ledger;
    this.#onAppend = on.append;
    this.#onReplaced = on.replaced;
    this.#refuses = on.refuses;
  }

  async append(records: readonly WalRecord[]): Promise<void> {
    if (this.#refuses(records)) {
      await Promise.resolve();
      throw themisError('DISK_FULL', { message: 'no space for these records: simulated' });
    }
    const mine = this.#ledger.appending(records, this.#onReplaced);
    this.#onAppend();
    try {
      await this.#inner.append(records);
    } catch (error) {
      this.#ledger.refused(mine, hasCode(error, 'DISK_FULL'));
      throw error;
    }
    this.#ledger.appended(mine);
  }

  reserve(bytes: number): Promise<void> | undefined {
    return this.#inner.reserve(bytes);
  }

  replay(group: number, fromIndex?: number): AsyncIterableIterator<WalRecord[]> {
    return this.#inner.replay(group, fromIndex);
  }

  bounds(group: number): { readonly first: number; readonly last: number } | undefined {
    return this.#inner.bounds(group);
  }

  groups(): number[] {
    return this.#inner.groups();
  }

  truncateBefore(group: number, index: number): Promise<void> {
    this.#ledger.truncate(group, index);
    return this.#inner.truncateBefore(group, index);
  }

  stats(): WalStats {
    return this.#inner.stats();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** Where a replica's own state stands: `replica-log.ts` of replication. */
export const stateGroupOf = (shard: number): number => (shard | 0x8000_0000) >>> 0;

export async function entriesIn(wal: Wal, group: number): Promise<Map<number, LoggedEntry>> {
  const found = new Map<number, LoggedEntry>();
  for await (const records of wal.replay(group))
    for (const { index, term, payload } of records)
      found.set(index, { term, hash: hashOf(payload) });
  return found;
}

/** The hard state as the log holds it: `state-record.ts` of replication. */
export async function hardStateIn(
  wal: Wal,
  shard: number,
): Promise<{ readonly term: number; readonly vote: number } | undefined> {
  let last: Uint8Array | undefined;
  for await (const records of wal.replay(stateGroupOf(shard)))
    last = records.at(-1)?.payload.slice() ?? last;
  if (last === undefined) return undefined;
  const [, , term, vote] = varintsOf(last.subarray(1), 4);
  return { term: term!, vote: vote! };
}

function varintsOf(bytes: Uint8Array, count: number): number[] {
  const values: number[] = [];
  for (let at = 0; values.length < count;) {
    let value = 0;
    let unit = 1;
    for (let more = true; more; unit *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * unit;
      more = byte >= 128;
    }
    values.push(value);
  }
  return values;
}
