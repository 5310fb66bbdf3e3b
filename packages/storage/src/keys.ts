import { prefixEnd } from '@themisdb/base';
import { writeUuid, type Uuid } from '@themisdb/protocol';
import type { KvRange } from '@themisdb/kv';
import { getU32, setU32, setU53, setU64 } from './codec/integers.ts';
import type { Timestamp } from './contract/transaction.ts';

/**
 * The one place that knows where things stand in the engine (format version 1). Every key starts with
 * `[shard u32][space u8]`; integers are big-endian, so bytewise order is numeric order.
 *
 * | Space | Key after the prefix | Value |
 * |---|---|---|
 * | meta | name, see `metaName` | see the owner of the name |
 * | record | `[collection u32][token u64][uuid 16]` | envelope (`envelope.ts`) |
 * | history | record key after the prefix, then `[~timestamp u64]`: newest first | superseded envelope, or tombstone |
 * | index | `[index u32][tuple of values]`, and `[token u64][uuid 16]` unless unique | `index/entry-value.ts` |
 * | change | `[log index u64]` | the changes of one command (`changes/change-codec.ts`) |
 * | dedup | `[0][idempotency key]`, or `[1][expiry timestamp u64][idempotency key]` | remembered answer, or empty |
 *
 * The other spaces are reserved: text, vector, series, txn, digest.
 */
export const space = {
  meta: 1,
  record: 2,
  history: 3,
  index: 4,
  text: 5,
  vector: 6,
  series: 7,
  change: 8,
  txn: 9,
  dedup: 10,
  digest: 11,
} as const;

export type Space = (typeof space)[keyof typeof space];

/** Names in meta space: one letter, then an id where there are many. */
export const metaName = {
  /** Format version of the store. */
  format: 'f',
  /** Log index, term and timestamp applied last. */
  applied: 'a',
  /** Next collection and index id. */
  ids: 'i',
  /** `k` + collection u32: catalog entry. */
  collection: 'k',
  /** `c` + collection u32: number of entities. */
  count: 'c',
  /** `s` + index u32: statistics, this node's own. */
  statistics: 's',
  /** What of history and changes has been given up. */
  retention: 'r',
  /** Members of the shard's group as of the applied index; encoded by the replicated log. */
  membership: 'm',
} as const;

const prefixBytes = 5;
export const recordKeyBytes: number = prefixBytes + 4 + 8 + 16;
const uuidOffset = prefixBytes + 4 + 8;

/** Keys of one shard. Keys it makes are never changed afterwards; small ones share slabs. */
export class KeySpace {
  readonly shard: number;
  #slab = new Uint8Array(0);
  #at = 0;

  constructor(shard: number) {
    this.shard = shard;
  }

  meta(name: string, id?: number): Uint8Array {
    const key = this.#start(space.meta, 1 + (id === undefined ? 0 : 4));
    key[prefixBytes] = name.charCodeAt(0);
    if (id !== undefined) setU32(key, prefixBytes + 1, id);
    return key;
  }

  record(collectionId: number, token: bigint, uuid: Uuid): Uint8Array {
    const at = this.#take(recordKeyBytes);
    const slab = this.#slab;
    setU32(slab, at, this.shard);
    slab[at + 4] = space.record;
    setU32(slab, at + 5, collectionId);
    setU64(slab, at + 9, token);
    writeUuid(uuid, slab, at + uuidOffset);
    return slab.subarray(at, at + recordKeyBytes);
  }

  /** The history key of a record key at a version. */
  history(recordKey: Uint8Array, version: Timestamp): Uint8Array {
    const key = this.#start(space.history, recordKey.length - prefixBytes + 8);
    key.set(recordKey.subarray(prefixBytes), prefixBytes);
    setU64(key, recordKey.length, ~version);
    return key;
  }

  change(index: number): Uint8Array {
    const key = this.#start(space.change, 8);
    setU53(key, prefixBytes, index);
    return key;
  }

  answer(name: Uint8Array): Uint8Array {
    const key = this.#start(space.dedup, 1 + name.length);
    key[prefixBytes] = 0;
    key.set(name, prefixBytes + 1);
    return key;
  }

  answerExpiry(expires: Timestamp, name: Uint8Array): Uint8Array {
    const key = this.#start(space.dedup, 9 + name.length);
    key[prefixBytes] = 1;
    setU64(key, prefixBytes + 1, expires);
    key.set(name, prefixBytes + 9);
    return key;
  }

  /** Prefix of all entries of an index, or records (or history) of a collection. */
  owned(of: Space, id: number): Uint8Array {
    const key = this.#start(of, 4);
    setU32(key, prefixBytes, id);
    return key;
  }

  whole(of: Space): Uint8Array {
    return this.#start(of, 0);
  }

  /** What all keys of the shard start with. */
  prefix(): Uint8Array {
    return this.#start(space.meta, 0).subarray(0, 4);
  }

  #start(of: Space, extra: number): Uint8Array {
    const key = new Uint8Array(prefixBytes + extra);
    setU32(key, 0, this.shard);
    key[4] = of;
    return key;
  }

  /** Records' keys are made by the million: they share slabs of 8 KiB. */
  #take(bytes: number): number {
    if (this.#at + bytes > this.#slab.length) {
      this.#slab = new Uint8Array(8192);
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

/** All keys that start with `prefix`. */
export function rangeOf(prefix: Uint8Array): Required<KvRange> & {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
} {
  return { gte: prefix, lt: prefixEnd(prefix)! };
}

/** Where the uuid stands in a record key. */
export function uuidOffsetInRecordKey(): number {
  return uuidOffset;
}

/** The space byte of a key. */
export function spaceOf(key: Uint8Array): number {
  return key[4]!;
}

/** The collection or index id of a key in record, history or index space. */
export function ownerOf(key: Uint8Array): number {
  return getU32(key, 5);
}

/**
 * A key as a string of one character a byte: what maps and sets of keys are made of. Strings of this
 * kind compare like the bytes.
 */
export type KeyText = string & { readonly __keyText: unique symbol };

const fromCodes = String.fromCharCode;

export function keyText(key: Uint8Array): KeyText {
  if (key.length <= 4096) return fromCodes.apply(null, key as unknown as number[]) as KeyText;
  let text = '';
  for (let at = 0; at < key.length; at += 4096) {
    text += fromCodes.apply(null, key.subarray(at, at + 4096) as unknown as number[]);
  }
  return text as KeyText;
}

export function keyBytes(text: KeyText): Uint8Array {
  const key = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) key[i] = text.charCodeAt(i);
  return key;
}
