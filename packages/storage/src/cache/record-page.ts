import { compareBytes } from '@themisdb/base';
import type { KvEntry } from '@themisdb/kv';
import type { CollectionInfo } from '../contract/catalog.ts';
import { checkEnvelope } from '../envelope.ts';
import { recordKeyBytes } from '../keys.ts';
import { CommittedRecord } from '../record.ts';

/**
 * Neighbouring records in one buffer, checksums verified: all that stood in [gte, lt) at log index
 * `index`. Each row is the record key and the envelope.
 */
export class RecordPage {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly index: number;
  readonly #bytes: Uint8Array;
  /** Where each row starts, and where the last one ends. */
  readonly #starts: Uint32Array;

  constructor(
    range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
    index: number,
    rows: { readonly bytes: Uint8Array; readonly starts: Uint32Array },
  ) {
    this.gte = range.gte;
    this.lt = range.lt;
    this.index = index;
    this.#bytes = rows.bytes;
    this.#starts = rows.starts;
  }

  /** Memory taken, roughly. */
  get byteLength(): number {
    return this.#bytes.length + this.#starts.byteLength + 400;
  }

  get rows(): number {
    return this.#starts.length - 1;
  }

  /** Rows with keys from `from` on. */
  records(collection: CollectionInfo, from: Uint8Array): CommittedRecord[] {
    const out: CommittedRecord[] = [];
    const bytes = this.#bytes;
    const starts = this.#starts;
    const first = compareBytes(from, this.gte) <= 0 ? 0 : this.#firstFrom(from);
    for (let i = first; i < this.rows; i++) {
      const start = starts[i]!;
      const body = start + recordKeyBytes;
      out.push(new CommittedRecord(collection, bytes, bytes, start, body, starts[i + 1]!, true));
    }
    return out;
  }

  #firstFrom(key: Uint8Array): number {
    for (let i = 0; i < this.rows; i++) {
      const start = this.#starts[i]!;
      if (compareBytes(this.#bytes.subarray(start, start + recordKeyBytes), key) >= 0) return i;
    }
    return this.rows;
  }
}

/** Copies entries into the buffer of a page. DATA_CORRUPT. */
export function packRows(entries: readonly KvEntry[]): {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
} {
  let length = 0;
  for (const { value } of entries) length += recordKeyBytes + value.length;
  const bytes = new Uint8Array(length);
  const starts = new Uint32Array(entries.length + 1);
  let at = 0;
  for (let i = 0; i < entries.length; i++) {
    const { key, value } = entries[i]!;
    checkEnvelope(value);
    starts[i] = at;
    bytes.set(key, at);
    bytes.set(value, at + recordKeyBytes);
    at += recordKeyBytes + value.length;
  }
  starts[entries.length] = at;
  return { bytes, starts };
}
