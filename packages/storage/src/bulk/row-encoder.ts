import { utf8Encode, type ValueObject } from '@themisdb/base';
import { ByteWriter } from '../codec/byte-writer.ts';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { EncodedRows, RowEncoder, RowEncoderOptions } from '../contract/transaction.ts';
import type { StoreContext } from '../context.ts';
import { keyOfNew, toStored } from '../transaction/document.ts';
import { findAttributes } from './find-attributes.ts';
import { RowBatch, rowFields } from './encoded-rows.ts';
import { JsonRowWriter } from './json-row.ts';

const rowsAtFirst = 1024;
const bytesAtFirst: number = 512 * 1024;

/** Undefined where rows must be seen as documents: rules ask for them, or what they are is checked. */
export function makeRowEncoder(
  context: StoreContext,
  collection: CollectionInfo,
  options: RowEncoderOptions,
): RowEncoder | undefined {
  if (!takesRows(context, collection)) return undefined;
  return new CollectionRowEncoder(context, collection, options);
}

/** Whether documents may go into this collection without being looked at as values. */
export function takesRows(context: StoreContext, collection: CollectionInfo): boolean {
  return (
    collection.type === 'document' &&
    context.rulesOf(collection) === undefined &&
    !collection.indexes.some(({ unique }) => unique)
  );
}

class CollectionRowEncoder implements RowEncoder {
  readonly #context: StoreContext;
  readonly #collection: CollectionInfo;
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #json: JsonRowWriter;
  readonly #stride: number;
  readonly #out = new ByteWriter(bytesAtFirst);
  #fields: Int32Array;
  #isMade = new Uint8Array(rowsAtFirst);
  #count = 0;

  constructor(context: StoreContext, collection: CollectionInfo, options: RowEncoderOptions) {
    this.#context = context;
    this.#collection = collection;
    this.#wanted = wantedBy(collection);
    this.#stride = rowFields + this.#wanted.size;
    this.#fields = new Int32Array(rowsAtFirst * this.#stride);
    const { limits } = context;
    this.#json = new JsonRowWriter(this.#out, this.#wanted, {
      depthMax: Math.min(limits.depthMax, options.depthMax ?? Infinity),
      attributesMax: Math.min(limits.attributesMax, options.attributesMax ?? Infinity),
      documentBytesMax: limits.documentBytesMax,
    });
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#out.length;
  }

  tryAddJson(text: Uint8Array, start: number, end: number): boolean {
    const at = this.#out.length;
    const json = this.#json;
    if (!json.write(text, start, end)) return false;
    const isMade = json.keyStart < 0;
    if (isMade) json.insertKey(utf8Encode(this.#context.keyMaker.next()));
    this.#add(at, json.keyStart, json.keyEnd, isMade, json.slots);
    return true;
  }

  addDocument(given: ValueObject): void {
    const { key, isMade } = keyOfNew(this.#context, given);
    const document = toStored(this.#collection, given, key);
    const body = this.#context.arena.encode(document, key);
    const out = this.#out;
    const at = out.length;
    out.raw(body);
    const slots = new Int32Array(this.#wanted.size).fill(-1);
    findAttributes(out.bytes, at, (name, valueAt) => {
      const slot = this.#wanted.get(name);
      if (slot !== undefined) slots[slot] = valueAt;
    });
    const keyBytes = utf8Encode(key).length;
    // The key stands first: header of the map, its name, header of its text.
    const keyAt = at + mapHeaderBytes(out.bytes[at]!) + 5 + (keyBytes < 32 ? 1 : 2);
    this.#add(at, keyAt, keyAt + keyBytes, isMade, slots);
  }

  take(): EncodedRows {
    const parts = {
      collection: this.#collection,
      count: this.#count,
      bytes: this.#out.slice(),
      fields: this.#fields.slice(0, this.#count * this.#stride),
      isMade: this.#isMade.slice(0, this.#count),
      wanted: this.#wanted,
    };
    this.#count = 0;
    this.#out.length = 0;
    return new RowBatch(parts);
  }

  #add(at: number, keyStart: number, keyEnd: number, isMade: boolean, slots: Int32Array): void {
    if (this.#count === this.#isMade.length) this.#grow();
    const fields = this.#fields;
    let to = this.#count * this.#stride;
    fields[to++] = at;
    fields[to++] = this.#out.length;
    fields[to++] = keyStart;
    fields[to++] = keyEnd;
    for (let i = 0; i < slots.length; i++) fields[to++] = slots[i]!;
    this.#isMade[this.#count++] = isMade ? 1 : 0;
  }

  #grow(): void {
    const fields = new Int32Array(this.#fields.length * 2);
    fields.set(this.#fields);
    this.#fields = fields;
    const isMade = new Uint8Array(this.#isMade.length * 2);
    isMade.set(this.#isMade);
    this.#isMade = isMade;
  }
}

function mapHeaderBytes(type: number): number {
  return type === 0xdf ? 5 : type === 0xde ? 3 : 1;
}

function wantedBy({ indexes }: CollectionInfo): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const { paths } of indexes) {
    for (const { steps } of paths) if (!wanted.has(steps[0]!)) wanted.set(steps[0]!, wanted.size);
  }
  return wanted;
}
