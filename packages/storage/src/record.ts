import { makeObject, type MutableObject, type Value, type ValueObject } from '@themisdb/base';
import { formatUrn, uuidFromBytes, type Uuid } from '@themisdb/protocol';
import type { AttributePath, CollectionInfo } from './contract/catalog.ts';
import type { StoredRecord, Timestamp } from './contract/transaction.ts';
import { decodeMapInto } from './codec/decode.ts';
import { PathReader, type DerivedName } from './codec/path-reader.ts';
import { checkEnvelope, envelopeBytes, revisionOf, timestampOf } from './envelope.ts';
import { recordKeyBytes, uuidOffsetInRecordKey } from './keys.ts';
import { formatTimestamp } from './timestamp.ts';

const readers = new WeakMap<AttributePath, PathReader>();
const keyReader: PathReader = new PathReader([{ steps: ['_key'] }]);

function readerOf(path: AttributePath): PathReader {
  let reader = readers.get(path);
  if (reader === undefined) readers.set(path, (reader = new PathReader([path])));
  return reader;
}

/** What committed and buffered records have in common: an encoded document and what derives from it. */
abstract class EncodedRecord implements StoredRecord {
  readonly collection: CollectionInfo;
  #document: ValueObject | undefined;
  #documentVersion: Timestamp | undefined;

  constructor(collection: CollectionInfo) {
    this.collection = collection;
  }

  abstract get uuid(): Uuid;
  abstract get version(): Timestamp;
  /** `version` as text. */
  abstract revision(): string;
  /** Undefined where the version never changes. */
  abstract finalVersion(): Timestamp | undefined;
  /** The encoded document stands in `bytes` from `bodyStart` on; checked before it is handed out. */
  abstract checkedBytes(): Uint8Array;
  abstract readonly bodyStart: number;

  document(): ValueObject {
    // Of a buffered record, the version becomes final with the commit.
    const isKept = this.#document !== undefined && this.#documentVersion === this.finalVersion();
    return isKept ? this.#document! : this.#decode();
  }

  read(path: AttributePath): Value {
    const target: Value[] = [null];
    this.readPaths(readerOf(path), target);
    return target[0]!;
  }

  readPaths(reader: PathReader, target: Value[], offset = 0): void {
    reader.read(this.checkedBytes(), this.bodyStart, target, offset);
    for (const { position, name } of reader.derived) {
      const path = reader.paths[position]!;
      target[offset + position] =
        path.steps.length > 1 || path.expandAfter !== undefined ? null : this.#derived(name);
    }
  }

  get key(): string {
    const target: Value[] = [null];
    keyReader.read(this.checkedBytes(), this.bodyStart, target);
    return target[0] as string;
  }

  #derived(name: DerivedName): string {
    if (name === '_id') return `${this.collection.name}/${this.key}`;
    return name === '_rev' ? this.revision() : this.#urn();
  }

  #urn(): string {
    const { model, namespace, name } = this.collection;
    return formatUrn({ model, namespace, collection: name, uuid: this.uuid });
  }

  #decode(): ValueObject {
    const { key } = this;
    const out: MutableObject = makeObject();
    out['_key'] = key;
    out['_id'] = `${this.collection.name}/${key}`;
    out['_rev'] = this.revision();
    out['_urn'] = this.#urn();
    decodeMapInto(out, this.checkedBytes(), this.bodyStart);
    this.#document = out;
    this.#documentVersion = this.finalVersion();
    return out;
  }
}

/**
 * A record as the engine holds it: key and envelope in arrays of their own, or in a page among others.
 * Scans make one per row, so the constructor takes plain arguments.
 */
export class CommittedRecord extends EncodedRecord {
  readonly bodyStart: number;
  readonly #keySource: Uint8Array;
  readonly #keyStart: number;
  readonly #source: Uint8Array;
  readonly #end: number;
  #uuid: Uuid | undefined;
  #version: Timestamp | undefined;
  #checked: boolean;

  /** `isChecked`: the checksum was verified before. */
  constructor(
    collection: CollectionInfo,
    keySource: Uint8Array,
    source: Uint8Array,
    keyStart = 0,
    start = 0,
    end: number = source.length,
    isChecked = false,
  ) {
    super(collection);
    this.#keySource = keySource;
    this.#keyStart = keyStart;
    this.#source = source;
    this.bodyStart = start + envelopeBytes;
    this.#end = end;
    this.#checked = isChecked;
  }

  get recordKey(): Uint8Array {
    return this.#keySource.subarray(this.#keyStart, this.#keyStart + recordKeyBytes);
  }

  get envelope(): Uint8Array {
    return this.checkedBytes().subarray(this.bodyStart - envelopeBytes, this.#end);
  }

  get uuid(): Uuid {
    const at = this.#keyStart + uuidOffsetInRecordKey();
    return (this.#uuid ??= uuidFromBytes(this.#keySource, at));
  }

  get version(): Timestamp {
    const bytes = this.checkedBytes();
    return (this.#version ??= timestampOf(bytes, this.bodyStart - envelopeBytes));
  }

  revision(): string {
    return revisionOf(this.checkedBytes(), this.bodyStart - envelopeBytes);
  }

  finalVersion(): undefined {
    return undefined;
  }

  checkedBytes(): Uint8Array {
    if (!this.#checked) {
      // Only records in arrays of their own come unchecked.
      checkEnvelope(this.#source);
      this.#checked = true;
    }
    return this.#source;
  }
}

/** The version buffered writes of one transaction show: provisional, final once it committed. */
export interface VersionCell {
  version: Timestamp;
}

/** A record written by a transaction, before and after its commit. */
export class BufferedRecord extends EncodedRecord {
  readonly uuid: Uuid;
  readonly body: Uint8Array;
  readonly bodyStart: number = 0;
  readonly #cell: VersionCell;

  constructor(collection: CollectionInfo, uuid: Uuid, body: Uint8Array, cell: VersionCell) {
    super(collection);
    this.uuid = uuid;
    this.body = body;
    this.#cell = cell;
  }

  get version(): Timestamp {
    return this.#cell.version;
  }

  revision(): string {
    return formatTimestamp(this.version);
  }

  finalVersion(): Timestamp {
    return this.#cell.version;
  }

  checkedBytes(): Uint8Array {
    return this.body;
  }
}

export type AnyRecord = CommittedRecord | BufferedRecord;
