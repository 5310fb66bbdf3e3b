import { TupleWriter } from '@themisdb/kv';
import { getU16, getU32 } from '../codec/integers.ts';
import { decodeValue } from '../codec/decode.ts';
import { valueAt } from '../codec/path-reader.ts';
import type { IndexInfo } from '../contract/catalog.ts';
import { ownerBytes, type EntryEncoder, type RawEntry } from '../index/entries.ts';
import { space } from '../keys.ts';
import { rowFields, type RowBatch } from './encoded-rows.ts';

/** What an index entry is written to: key and value. */
export interface EntrySink {
  /** With the key that was written last; its value is empty. */
  addKey(key: TupleWriter): void;
  add(entry: RawEntry): void;
}

/**
 * Makes the entries of one index that is not unique for rows, out of their encoded attributes. Where
 * an attribute is no plain value, or the index keeps more than keys, the document is decoded and
 * `EntryEncoder` asked, whose results these are in any case.
 */
export class RowEntryWriter {
  readonly index: IndexInfo;
  readonly #encoder: EntryEncoder;
  readonly #rows: RowBatch;
  readonly #shard: number;
  readonly #slots: readonly number[];
  readonly #rests: readonly (readonly string[])[];
  readonly #isPlain: boolean;
  readonly #writer = new TupleWriter();

  constructor(encoder: EntryEncoder, shard: number, rows: RowBatch) {
    const { index } = encoder;
    this.index = index;
    this.#encoder = encoder;
    this.#rows = rows;
    this.#shard = shard;
    this.#slots = index.paths.map(({ steps }) => rows.wanted.get(steps[0]!) ?? -1);
    this.#rests = index.paths.map(({ steps }) => steps.slice(1));
    this.#isPlain =
      index.storedPaths.length === 0 &&
      index.paths.every(({ expandAfter }) => expandAfter === undefined) &&
      this.#slots.every((slot) => slot >= 0);
  }

  /** `owner` is token and uuid of the row. */
  write(row: number, owners: Uint8Array, ownerAt: number, sink: EntrySink): void {
    if (this.#isPlain && this.#tryPlain(row, owners, ownerAt, sink)) return;
    const owner = owners.slice(ownerAt, ownerAt + ownerBytes);
    for (const entry of this.#encoder.entriesOf(this.#rows.document(row), owner)) sink.add(entry);
  }

  #tryPlain(row: number, owners: Uint8Array, ownerAt: number, sink: EntrySink): boolean {
    const writer = this.#writer.truncate(0).u32(this.#shard).u8(space.index).u32(this.index.id);
    const { bytes, fields, stride } = this.#rows;
    const first = row * stride + rowFields;
    for (let i = 0; i < this.#slots.length; i++) {
      const at = fields[first + this.#slots[i]!]!;
      const rest = this.#rests[i]!;
      const kind =
        at < 0
          ? writeNull(writer)
          : rest.length === 0
            ? writeEncoded(writer, bytes, at)
            : writePlain(writer, valueAt(decodeValue(bytes, at), rest));
      if (kind === other) return false;
      if (kind === nothing && this.index.sparse) return true;
    }
    sink.addKey(writer.slice(owners, ownerAt, ownerAt + ownerBytes));
    return true;
  }
}

/** What a value came to. */
const plain = 0;
const nothing = 1;
/** Arrays, objects and −0, which entries keep a second time. */
const other = 2;

function writeNull(writer: TupleWriter): number {
  writer.value(null);
  return nothing;
}

function writePlain(writer: TupleWriter, value: unknown): number {
  if (value === null) return writeNull(writer);
  if (typeof value === 'object' || Object.is(value, -0)) return other;
  writer.value(value as string | number | boolean);
  return plain;
}

/** The msgpack value at `at`. */
function writeEncoded(writer: TupleWriter, bytes: Uint8Array, at: number): number {
  const type = bytes[at]!;
  if (type < 0x80) writer.value(type);
  else if (type >= 0xa0 && type < 0xc0) writer.utf8(bytes, at + 1, at + 1 + (type & 31));
  else
    switch (type) {
      case 0xd9:
        writer.utf8(bytes, at + 2, at + 2 + bytes[at + 1]!);
        break;
      case 0xda:
        writer.utf8(bytes, at + 3, at + 3 + getU16(bytes, at + 1));
        break;
      case 0xdb:
        writer.utf8(bytes, at + 5, at + 5 + getU32(bytes, at + 1));
        break;
      default:
        return type >= 0xc0 ? writePlain(writer, decodeValue(bytes, at)) : other;
    }
  return plain;
}
