import type { ValueObject } from '@themisdb/base';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { EncodedRows } from '../contract/transaction.ts';
import { decodeValue } from '../codec/decode.ts';

/** Numbers kept of a row beside its slots: start and end of its body, start and end of its key's text. */
export const rowFields = 4;

/** Rows as `RowEncoder` makes them: bodies in one buffer, and where what is in it. */
export class RowBatch implements EncodedRows {
  readonly collection: CollectionInfo;
  readonly count: number;
  /** Bodies, as `BodyArena` writes them. */
  readonly bytes: Uint8Array;
  /** `rowFields` numbers a row, then where the value of each wanted attribute starts, or -1. */
  readonly fields: Int32Array;
  /** 1: the key was made here, so it is in nobody's way. */
  readonly isMade: Uint8Array;
  /** Top-level attributes that indexes ask for, with their positions among the slots. */
  readonly wanted: ReadonlyMap<string, number>;

  constructor(parts: {
    readonly collection: CollectionInfo;
    readonly count: number;
    readonly bytes: Uint8Array;
    readonly fields: Int32Array;
    readonly isMade: Uint8Array;
    readonly wanted: ReadonlyMap<string, number>;
  }) {
    this.collection = parts.collection;
    this.count = parts.count;
    this.bytes = parts.bytes;
    this.fields = parts.fields;
    this.isMade = parts.isMade;
    this.wanted = parts.wanted;
  }

  /** Numbers in `fields` for each row. */
  get stride(): number {
    return rowFields + this.wanted.size;
  }

  /** Start and end of a row's body, start and end of its key's text. */
  fieldsOf(i: number): readonly [number, number, number, number] {
    const at = i * this.stride;
    const { fields } = this;
    return [fields[at]!, fields[at + 1]!, fields[at + 2]!, fields[at + 3]!];
  }

  document(i: number): ValueObject {
    return decodeValue(this.bytes, this.fields[i * this.stride]!) as ValueObject;
  }
}
