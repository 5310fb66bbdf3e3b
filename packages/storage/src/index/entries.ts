import type { Value } from '@themisdb/base';
import { decodeTuple, TupleWriter } from '@themisdb/kv';
import { themisError, uuidFromBytes, type Uuid } from '@themisdb/protocol';
import type { IndexInfo } from '../contract/catalog.ts';
import type { IndexEntry } from '../contract/transaction.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { decodeValueAt } from '../codec/decode.ts';
import { encodeValue } from '../codec/encode.ts';
import { valueAt } from '../codec/path-reader.ts';
import { space } from '../keys.ts';
import { defaultLimits } from '../limits.ts';

/**
 * Entries of persistent indexes.
 *
 * Key: `[shard][index space][index u32][tuple of the indexed values]`, and `[token u64][uuid 16]`
 * unless the index is unique. Value: empty, or a byte of flags and what they announce, in order:
 * - 1 owner: `[token u64][uuid 16]` (unique indexes);
 * - 2 stored values: msgpack array;
 * - 4 exact values: the indexed values as msgpack array, where the key does not keep them exactly
 *   (arrays and objects lose nulls and order of attributes, −0 its sign).
 */
const flag = { owner: 1, stored: 2, exact: 4 } as const;
export const ownerBytes = 24;
export const indexPrefixBytes = 9;

export interface RawEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const noValue = new Uint8Array(0);
const limits = { ...defaultLimits, depthMax: 1000 };

/** Makes the entries of one index for documents of one shard. */
export class EntryEncoder {
  readonly index: IndexInfo;
  readonly #shard: number;
  readonly #writer = new TupleWriter();
  readonly #expanded: number;

  constructor(shard: number, index: IndexInfo) {
    this.#shard = shard;
    this.index = index;
    this.#expanded = index.paths.findIndex(({ expandAfter }) => expandAfter !== undefined);
  }

  /** `owner` is token and uuid as they stand in the record key. */
  entriesOf(document: Value, owner: Uint8Array): RawEntry[] {
    if (this.#expanded >= 0) return this.#expandedEntries(document, owner);
    const values = this.index.paths.map(({ steps }) => valueAt(document, steps));
    if (this.index.sparse && values.includes(null)) return [];
    return [this.#entry(values, document, owner)];
  }

  /** The key prefix shared by all entries whose first fields equal `values`. */
  prefix(values: readonly Value[]): Uint8Array {
    this.#start();
    for (const value of values) this.#writer.value(value);
    return this.#writer.finish();
  }

  /** An array attribute that is no array has no elements, hence no entries. */
  #expandedEntries(document: Value, owner: Uint8Array): RawEntry[] {
    const { paths, sparse, unique, deduplicate } = this.index;
    const path = paths[this.#expanded]!;
    const array = valueAt(document, path.steps.slice(0, path.expandAfter));
    if (!Array.isArray(array)) return [];
    const values = paths.map((each, i) =>
      i === this.#expanded ? null : valueAt(document, each.steps),
    );
    const inner = path.steps.slice(path.expandAfter);
    const entries: RawEntry[] = [];
    for (const element of array as readonly Value[]) {
      values[this.#expanded] = valueAt(element, inner);
      if (sparse && values.includes(null)) continue;
      entries.push(this.#entry(values, document, owner));
    }
    return withoutTwins(entries, unique && !deduplicate ? this.index : undefined);
  }

  #entry(values: readonly Value[], document: Value, owner: Uint8Array): RawEntry {
    this.#start();
    for (const value of values) this.#writer.value(value);
    if (!this.index.unique) this.#writer.bytes(owner);
    return { key: this.#writer.finish(), value: this.#value(values, document, owner) };
  }

  #start(): void {
    this.#writer.truncate(0).u32(this.#shard).u8(space.index).u32(this.index.id);
  }

  #value(values: readonly Value[], document: Value, owner: Uint8Array): Uint8Array {
    const { unique, storedPaths } = this.index;
    const isExact = values.every(keptByKey);
    if (!unique && isExact && storedPaths.length === 0) return noValue;
    const writer = new ByteWriter(unique ? 32 : 64);
    writer.u8(
      (unique ? flag.owner : 0) |
        (storedPaths.length > 0 ? flag.stored : 0) |
        (isExact ? 0 : flag.exact),
    );
    if (unique) writer.raw(owner);
    if (storedPaths.length > 0) {
      const stored = storedPaths.map(({ steps }) => valueAt(document, steps));
      encodeValue(writer, stored, limits);
    }
    if (!isExact) encodeValue(writer, values, limits);
    return writer.subarray();
  }
}

function keptByKey(value: Value): boolean {
  if (typeof value === 'number') return !Object.is(value, -0);
  return typeof value !== 'object' || value === null;
}

/** Equal elements of one document make one entry; with `refuse`, they violate a unique index. */
function withoutTwins(entries: readonly RawEntry[], refuse: IndexInfo | undefined): RawEntry[] {
  if (entries.length < 2) return [...entries];
  const byKey = new Map(entries.map((entry) => [entry.key.join(), entry]));
  if (refuse !== undefined && byKey.size < entries.length)
    throw themisError('UNIQUE_VIOLATION', {
      message: `an array holds equal elements, which unique index "${refuse.name}" without deduplicate forbids`,
      details: { index: refuse.name, fields: refuse.fields },
    });
  return [...byKey.values()];
}

/** Token and uuid of the entity an entry belongs to. */
export function ownerOfEntry(index: IndexInfo, key: Uint8Array, value: Uint8Array): Uint8Array {
  return index.unique
    ? value.subarray(1, 1 + ownerBytes)
    : key.subarray(key.length - ownerBytes, key.length);
}

/** An entry as the engine holds it, decoded on demand. */
export class StoredEntry implements IndexEntry {
  readonly index: IndexInfo;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  #uuid: Uuid | undefined;
  #values: readonly Value[] | undefined;
  #stored: readonly Value[] | undefined;

  constructor(index: IndexInfo, key: Uint8Array, value: Uint8Array) {
    this.index = index;
    this.key = key;
    this.value = value;
  }

  get uuid(): Uuid {
    return (this.#uuid ??= uuidFromBytes(ownerOfEntry(this.index, this.key, this.value), 8));
  }

  /** Token and uuid, as in the record key. */
  get owner(): Uint8Array {
    return ownerOfEntry(this.index, this.key, this.value);
  }

  get values(): readonly Value[] {
    return (this.#values ??= this.#readValues());
  }

  get stored(): readonly Value[] {
    return (this.#stored ??= this.#readStored());
  }

  #readValues(): readonly Value[] {
    if (this.value.length > 0 && (this.value[0]! & flag.exact) !== 0) {
      const start =
        this.index.storedPaths.length > 0 ? this.#decodeStored().end : this.#bodyStart();
      return decodeValueAt(this.value, start).value as readonly Value[];
    }
    return decodeTuple(this.key, indexPrefixBytes, this.index.paths.length).values;
  }

  #readStored(): readonly Value[] {
    return this.index.storedPaths.length === 0
      ? []
      : (this.#decodeStored().value as readonly Value[]);
  }

  #decodeStored(): { value: Value; end: number } {
    return decodeValueAt(this.value, this.#bodyStart());
  }

  #bodyStart(): number {
    return this.index.unique ? 1 + ownerBytes : 1;
  }
}
