import type { TupleWriter } from '@themisdb/kv';
import { uuidFromBytes } from '@themisdb/protocol';
import { decodeText } from '../codec/text.ts';
import { changeBytes, encodeInserts } from '../changes/change-codec.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import type { CollectionInfo, IndexInfo } from '../contract/catalog.ts';
import type { Timestamp } from '../contract/transaction.ts';
import { envelopeBytes, EnvelopeSealer } from '../envelope.ts';
import { ownerBytes, type RawEntry } from '../index/entries.ts';
import { keyText, recordKeyBytes, space, uuidOffsetInRecordKey } from '../keys.ts';
import { commandHeaderBytes, startPut, type CommandBlock } from '../log/command.ts';
import {
  PendingEntry,
  PendingRecord,
  type BulkFormed,
  type BulkWrites,
} from '../transaction/overlay.ts';
import type { Written } from '../transaction/recent-writes.ts';
import type { TransactionState } from '../transaction/state.ts';
import type { RowBatch } from './encoded-rows.ts';
import { RowEntryWriter, type EntrySink } from './row-entries.ts';
import type { RowTable } from './row-table.ts';

export interface AcceptedRows {
  readonly rows: RowBatch;
  /** The record keys of all rows, one after the other. */
  readonly keys: Uint8Array;
  /** The numbers of the rows to be inserted. */
  readonly accepted: readonly number[];
  readonly table: RowTable;
}

/**
 * Inserts of one batch, already as the puts they will be in the command: records, then the entries of
 * one index after the other. Only timestamp and checksum of the records are missing, which `form`
 * fills in.
 */
export class BulkInsert implements BulkWrites {
  readonly collection: CollectionInfo;
  readonly #state: TransactionState;
  readonly #parts: AcceptedRows;
  readonly #puts: PutList;
  /** For each index: which of the puts are its entries. */
  readonly #entries: { readonly index: IndexInfo; readonly first: number; readonly end: number }[] =
    [];

  constructor(state: TransactionState, collection: CollectionInfo, parts: AcceptedRows) {
    this.#state = state;
    this.collection = collection;
    this.#parts = parts;
    const { rows, accepted } = parts;
    const perRow = 1 + collection.indexes.length;
    this.#puts = new PutList(
      rows.bytes.length + accepted.length * (perRow * 64 + changeBytes) + 1024,
      accepted.length * perRow,
    );
    this.#putRecords();
    for (const index of collection.indexes) this.#putEntries(index);
  }

  get byteLength(): number {
    return this.#puts.byteLength + this.#parts.accepted.length * changeBytes;
  }

  isChangedSince(index: number): boolean {
    const { recent, presence } = this.#state.context;
    const filter = presence.filterOf(space.record, this.collection.id);
    const { keys, accepted } = this.#parts;
    return accepted.some((row) => {
      const at = row * recordKeyBytes;
      // What the filter does not know nobody ever wrote.
      if (filter !== undefined && !filter.mayHaveAt(keys, at, at + recordKeyBytes)) return false;
      return recent.changedSince(keyText(keys.subarray(at, at + recordKeyBytes)), index);
    });
  }

  form(timestamp: Timestamp): BulkFormed {
    const { keys, accepted } = this.#parts;
    this.#noteRecords();
    const writes = this.#puts.finish();
    const { places } = writes;
    const { bytes } = writes.out;
    const sealer = new EnvelopeSealer(timestamp);
    for (let i = 0; i < accepted.length; i++)
      sealer.seal(bytes, places[4 * i + 2]!, places[4 * i + 3]!);
    const ofKeys = { keys, accepted };
    return {
      writes,
      written: this.#written(bytes, places),
      changes: encodeInserts(timestamp, this.collection.id, ofKeys),
      applied: this.#noteEntries(bytes, places),
    };
  }

  unpack(record: (each: PendingRecord) => void, entry: (each: PendingEntry) => void): void {
    const { rows, keys, accepted } = this.#parts;
    const { collection } = this;
    const { cell } = this.#state;
    for (const row of accepted) {
      const key = keys.subarray(row * recordKeyBytes, (row + 1) * recordKeyBytes);
      const [start, end, keyStart, keyEnd] = rows.fieldsOf(row);
      const name = decodeText(rows.bytes, keyStart, keyEnd - keyStart);
      const uuid = uuidFromBytes(key, uuidOffsetInRecordKey());
      const body = rows.bytes.subarray(start, end);
      record(
        new PendingRecord(key, {
          collection,
          uuid,
          name,
          committed: undefined,
          before: undefined,
          body,
          cell,
        }),
      );
    }
    for (const { index, first, end } of this.#entries)
      for (let i = first; i < end; i++) {
        const { key, value } = this.#puts.at(i);
        entry(new PendingEntry(key, { index, existed: false, value }));
      }
  }

  #putRecords(): void {
    const { rows, keys, accepted } = this.#parts;
    const { bytes, fields, stride } = rows;
    for (const row of accepted) {
      const start = fields[row * stride]!;
      const end = fields[row * stride + 1]!;
      this.#puts.addRecord(keys, row * recordKeyBytes, bytes, start, end);
    }
  }

  #putEntries(index: IndexInfo): void {
    const { rows, keys, accepted } = this.#parts;
    const { encoderOf, keys: space } = this.#state.context;
    const writer = new RowEntryWriter(encoderOf(index), space.shard, rows);
    const first = this.#puts.count;
    const owner = recordKeyBytes - ownerBytes;
    for (const row of accepted) writer.write(row, keys, row * recordKeyBytes + owner, this.#puts);
    this.#entries.push({ index, first, end: this.#puts.count });
  }

  #noteRecords(): void {
    const { presence, pages } = this.#state.context;
    const { id } = this.collection;
    const { keys, accepted } = this.#parts;
    const filter = presence.filterOf(space.record, id);
    if (filter !== undefined) {
      for (const row of accepted)
        filter.addAt(keys, row * recordKeyBytes, (row + 1) * recordKeyBytes);
      presence.shrink(space.record, id);
    }
    if (!pages.hasPages(id)) return;
    for (const row of accepted)
      pages.invalidate(id, keys.subarray(row * recordKeyBytes, (row + 1) * recordKeyBytes));
  }

  #written(bytes: Uint8Array, places: Uint32Array): Written {
    const textOf = (i: number): ReturnType<typeof keyText> =>
      keyText(bytes.subarray(places[4 * i], places[4 * i + 1]));
    const count = places.length / 4;
    const { table } = this.#parts;
    const prefixes = this.#prefixes();
    return {
      get text() {
        return textOf(0);
      },
      all: {
        count,
        has: (text) => prefixes.some((each) => text.startsWith(each)) && table.hasOwnerOf(text),
        forEach(visit) {
          for (let i = 0; i < count; i++) visit(textOf(i));
        },
      },
    };
  }

  /** What all keys written begin with. */
  #prefixes(): readonly string[] {
    const { keys } = this.#state.context;
    const { id, indexes } = this.collection;
    return [
      keyText(keys.owned(space.record, id)),
      ...indexes.map((index) => keyText(keys.owned(space.index, index.id))),
    ];
  }

  #noteEntries(bytes: Uint8Array, places: Uint32Array): () => void {
    const { statistics } = this.#state.context;
    const entries = this.#entries;
    return () => {
      for (const { index, first, end } of entries)
        for (let i = first; i < end; i++)
          statistics.notePut(index.id, bytes, places[4 * i]!, places[4 * i + 1]!);
    };
  }
}

/** Puts as a command holds them. */
class PutList implements EntrySink {
  readonly #out: ByteWriter;
  #places: Uint32Array;
  count = 0;

  constructor(bytes: number, puts: number) {
    this.#out = new ByteWriter(bytes);
    this.#out.length = commandHeaderBytes;
    this.#places = new Uint32Array(puts * 4);
  }

  get byteLength(): number {
    return this.#out.length;
  }

  /** Leaves the header of the envelope empty. */
  addRecord(keys: Uint8Array, keyAt: number, bodies: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    const keyStart = startPut(out, recordKeyBytes);
    out.reserve(recordKeyBytes);
    const { bytes } = out;
    for (let i = 0; i < recordKeyBytes; i++) bytes[keyStart + i] = keys[keyAt + i]!;
    out.length += recordKeyBytes;
    const valueBytes = envelopeBytes + end - start;
    out.varint(valueBytes);
    out.reserve(valueBytes);
    const valueStart = out.length;
    out.bytes.set(bodies.subarray(start, end), valueStart + envelopeBytes);
    out.length += valueBytes;
    this.#note(keyStart, keyStart + recordKeyBytes, valueStart);
  }

  addKey(key: TupleWriter): void {
    const { length } = key;
    const out = this.#out;
    const keyStart = startPut(out, length);
    out.reserve(length + 1);
    key.moveTo(out.bytes, keyStart);
    out.length += length;
    out.u8(0);
    this.#note(keyStart, keyStart + length, out.length);
  }

  add({ key, value }: RawEntry): void {
    const out = this.#out;
    const keyStart = startPut(out, key.length);
    out.raw(key);
    out.varint(value.length);
    const valueStart = out.length;
    out.raw(value);
    this.#note(keyStart, keyStart + key.length, valueStart);
  }

  /** Put number `i`; the bytes are its own. */
  at(i: number): RawEntry {
    const places = this.#places;
    const { bytes } = this.#out;
    return {
      key: bytes.slice(places[4 * i], places[4 * i + 1]),
      value: bytes.slice(places[4 * i + 2], places[4 * i + 3]),
    };
  }

  finish(): CommandBlock {
    return { out: this.#out, places: this.#places.subarray(0, this.count * 4) };
  }

  #note(keyStart: number, keyEnd: number, valueStart: number): void {
    if (this.count * 4 === this.#places.length) this.#grow();
    const places = this.#places;
    const at = 4 * this.count++;
    places[at] = keyStart;
    places[at + 1] = keyEnd;
    places[at + 2] = valueStart;
    places[at + 3] = this.#out.length;
  }

  #grow(): void {
    const places = new Uint32Array(Math.max(64, this.#places.length * 2));
    places.set(this.#places);
    this.#places = places;
  }
}
