import type { IndexInfo, IndexStatistics } from '../contract/catalog.ts';

/** Entries and distinct keys of every index, kept in memory; estimates. */
export class IndexStatisticsBook {
  readonly #entries = new Map<number, number>();

  /** A commit put (1), replaced (0) or removed (-1) an entry. */
  note(index: IndexInfo, _key: Uint8Array, change: number): void {
    if (change === 0) return;
    this.#entries.set(index.id, Math.max(0, (this.#entries.get(index.id) ?? 0) + change));
  }

  drop(indexId: number): void {
    this.#entries.delete(indexId);
  }

  of(index: IndexInfo): IndexStatistics {
    const entries = this.#entries.get(index.id) ?? 0;
    return { entries, selectivity: index.unique ? 1 : 0.1 };
  }
}
