import type { Wal, WalRecord, WalStats } from '@themisdb/wal';

const noStats: WalStats = {
  segments: 0,
  bytes: 0,
  liveBytes: 0,
  appends: 0,
  records: 0,
  syncs: 0,
  writtenBytes: 0,
  waitingAppends: 0,
  waitingBytes: 0,
  carriedRecords: 0,
  tornBytes: 0,
};

/** The log of a database that keeps nothing: the contract of `Wal` without a file. */
export function makeMemoryWal(): Wal {
  const bounds = new Map<number, { first: number; last: number }>();
  const counts = { appends: 0, records: 0 };
  return {
    async append(records) {
      counts.appends++;
      counts.records += records.length;
      for (const { group, index } of records) {
        bounds.set(group, { first: bounds.get(group)?.first ?? index, last: index });
      }
    },
    reserve: () => undefined,
    // Nothing to replay: whoever opens it finds it empty, and nobody reads back while it is open.
    async *replay(): AsyncIterableIterator<WalRecord[]> {},
    bounds: (group) => bounds.get(group),
    groups: () => [...bounds.keys()].sort((a, b) => a - b),
    async truncateBefore(group, index) {
      const kept = bounds.get(group);
      if (kept !== undefined) kept.first = Math.max(kept.first, index);
    },
    stats: () => ({ ...noStats, ...counts }),
    async close() {},
  };
}
