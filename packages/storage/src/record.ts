import { makeObject, type MutableObject, type Value, type ValueObject } from '@themisdb/base';
import { formatUrn, uuidFromBytes, type Uuid } from '@themisdb/protocol';
import type { AttributePath, CollectionInfo } from './contract/catalog.ts';
import type { StoredRecord, Timestamp } from './contract/transaction.ts';
import { decodeMapInto } from './codec/decode.ts';
import { PathReader, type DerivedName } from './codec/path-reader.ts';
import { checkEnvelope, envelopeBytes, revisionOf, timestampOf } from './envelope.ts';
import { uuidOffsetInRecordKey } from './keys.ts';
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

/** A record as the engine holds it. */
export class CommittedRecord extends EncodedRecord {
  readonly envelope: Uint8Array;
  readonly recordKey: Uint8Array;
  readonly bodyStart: number = envelopeBytes;
  #uuid: Uuid | undefined;
  #version: Timestamp | undefined;
  #checked = false;

  constructor(collection: CollectionInfo, recordKey: Uint8Array, envelope: Uint8Array) {
    super(collection);
    this.recordKey = recordKey;
    this.envelope = envelope;
  }

  get uuid(): Uuid {
    return (this.#uuid ??= uuidFromBytes(this.recordKey, uuidOffsetInRecordKey()));
  }

  get version(): Timestamp {
    if (!this.#checked) this.checkedBytes();
    return (this.#version ??= timestampOf(this.envelope));
  }

  revision(): string {
    return revisionOf(this.checkedBytes());
  }

  finalVersion(): undefined {
    return undefined;
  }

  checkedBytes(): Uint8Array {
    if (!this.#checked) {
      checkEnvelope(this.envelope);
      this.#checked = true;
    }
    return this.envelope;
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

/** The encoded document of a record, without its envelope. */
export function bodyOf(record: AnyRecord): Uint8Array {
  const bytes = record.checkedBytes();
  return record.bodyStart === 0 ? bytes : bytes.subarray(record.bodyStart);
}
