import { compareBytes } from '@themisdb/base';
import type { RecordPage } from './record-page.ts';

interface CachedCollection {
  /** Sorted by range; ranges do not overlap. */
  readonly pages: RecordPage[];
  bytes: number;
  /** When it was last scanned, in scans. */
  used: number;
}

const readBytes = 1024 * 1024;
const rowsMax = 512;
/** Where nothing is known of the size of records. */
export const rowsAtFirst = 32;

/**
 * Pages of records that scans left behind, for scans to come: making records out of a page costs a
 * tenth of what the engine takes for each entry. Whole collections are kept or given up, the ones
 * longest unscanned first.
 *
 * A page shows the state of its range at one log index. It may serve any view from that index on,
 * because the first commit that writes into its range removes it (`invalidate`, at the moment the
 * commit is formed, that is before any view can show it).
 */
export class PageCache {
  readonly #bytesMax: number;
  readonly #collections = new Map<number, CachedCollection>();
  readonly #rowBytes = new Map<number, number>();
  #bytes = 0;
  #scans = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Rows to read at once so that they take about a mebibyte; undefined before anything was read. */
  rowsAtOnce(collectionId: number): number | undefined {
    const rowBytes = this.#rowBytes.get(collectionId);
    return rowBytes && Math.min(rowsMax, Math.max(1, Math.floor(readBytes / rowBytes)));
  }

  /** What rows of this collection took. */
  learn(collectionId: number, rowBytes: number): void {
    const known = this.#rowBytes.get(collectionId) ?? rowBytes;
    this.#rowBytes.set(collectionId, Math.max(1, known * 0.9 + rowBytes * 0.1));
  }

  /** Whether a collection of that many bytes may be kept: a larger one would only push itself out. */
  mayKeep(collectionBytes: number): boolean {
    return collectionBytes <= this.#bytesMax * 0.8;
  }

  /** The page that holds `key` and shows the state at `index`. */
  find(collectionId: number, key: Uint8Array, index: number): RecordPage | undefined {
    const cached = this.#collections.get(collectionId);
    if (cached === undefined) return undefined;
    cached.used = ++this.#scans;
    const page = cached.pages[lastFrom(cached.pages, key)];
    const isHit = page !== undefined && page.index <= index && compareBytes(key, page.lt) < 0;
    return isHit ? page : undefined;
  }

  /** Where the next page after `key` begins that shows the state at `index`. */
  nextStart(collectionId: number, key: Uint8Array, index: number): Uint8Array | undefined {
    const pages = this.#collections.get(collectionId)?.pages ?? [];
    for (let i = lastFrom(pages, key) + 1; i < pages.length; i++)
      if (pages[i]!.index <= index) return pages[i]!.gte;
    return undefined;
  }

  /** Left out when another page overlaps it: somebody else read the same. */
  add(collectionId: number, page: RecordPage): void {
    let cached = this.#collections.get(collectionId);
    if (cached === undefined) {
      cached = { pages: [], bytes: 0, used: ++this.#scans };
      this.#collections.set(collectionId, cached);
    }
    const { pages } = cached;
    const before = lastFrom(pages, page.gte);
    const previous = pages[before];
    const next = pages[before + 1];
    if (previous !== undefined && compareBytes(previous.lt, page.gte) > 0) return;
    if (next !== undefined && compareBytes(next.gte, page.lt) < 0) return;
    pages.splice(before + 1, 0, page);
    cached.bytes += page.byteLength;
    this.#bytes += page.byteLength;
    if (this.#bytes > this.#bytesMax) this.#evict(collectionId);
  }

  /** Whether there is anything to invalidate. */
  hasPages(collectionId: number): boolean {
    return (this.#collections.get(collectionId)?.pages.length ?? 0) > 0;
  }

  /** A commit is going to write this record. */
  invalidate(collectionId: number, key: Uint8Array): void {
    const cached = this.#collections.get(collectionId);
    if (cached === undefined) return;
    const at = lastFrom(cached.pages, key);
    const page = cached.pages[at];
    if (page === undefined || compareBytes(key, page.lt) >= 0) return;
    cached.pages.splice(at, 1);
    cached.bytes -= page.byteLength;
    this.#bytes -= page.byteLength;
  }

  clear(): void {
    this.#collections.clear();
    this.#bytes = 0;
  }

  drop(collectionId: number): void {
    this.#bytes -= this.#collections.get(collectionId)?.bytes ?? 0;
    this.#collections.delete(collectionId);
  }

  #evict(keep: number): void {
    const others = [...this.#collections].filter(([id]) => id !== keep);
    others.sort(([, a], [, b]) => a.used - b.used);
    for (const [id] of others) {
      if (this.#bytes <= this.#bytesMax) return;
      this.drop(id);
    }
    if (this.#bytes > this.#bytesMax) this.drop(keep);
  }
}

/** The last page that begins at or before `key`; -1 when there is none. */
function lastFrom(pages: readonly RecordPage[], key: Uint8Array): number {
  let low = 0;
  let high = pages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(pages[middle]!.gte, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
