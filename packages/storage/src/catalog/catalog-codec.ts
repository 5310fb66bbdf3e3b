import { getU32, setU32 } from '../codec/integers.ts';
import { crc32c, objectFrom, type Value, type ValueObject } from '@themisdb/base';
import { collectionUuidNamespace, themisError, type Model } from '@themisdb/protocol';
import { ByteWriter } from '../codec/byte-writer.ts';
import { decodeValue } from '../codec/decode.ts';
import { encodeValue } from '../codec/encode.ts';
import { defaultLimits } from '../limits.ts';
import { formatTimestamp } from '../timestamp.ts';
import type { CatalogEntry } from './catalog.ts';
import { parseAttributePath } from '../index/attribute-path.ts';
import type {
  CollectionInfo,
  ColumnSpec,
  ForeignKeySpec,
  IndexInfo,
  SchemaSpec,
} from '../contract/catalog.ts';

/** A checksummed msgpack value: how catalog entries and other small things of meta space stand. */
export function sealValue(value: Value): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(0);
  encodeValue(writer, value, { ...defaultLimits, depthMax: 1000 });
  const out = writer.slice();
  setU32(out, 0, crc32c(out, 4));
  return out;
}

export function openValue(sealed: Uint8Array, what: string): Value {
  if (sealed.length > 4 && getU32(sealed, 0) === crc32c(sealed, 4)) return decodeValue(sealed, 4);
  throw themisError('DATA_CORRUPT', { message: `${what} failed its checksum` });
}

/** What is stored of a collection beside its id, which is in the key. */
export function encodeEntry({ info, historyStart, isDropped }: CatalogEntry): Uint8Array {
  const { namespace, name, model, type, schemaVersion, indexes } = info;
  const stored: Record<string, Value> = { namespace, name, model, type, schemaVersion };
  stored['historyStart'] = formatTimestamp(historyStart);
  stored['isDropped'] = isDropped;
  stored['indexes'] = indexes.map(indexToValue);
  if (info.schema) stored['schema'] = plain(info.schema);
  if (info.columns) stored['columns'] = plain(info.columns);
  if (info.foreignKeys) stored['foreignKeys'] = plain(info.foreignKeys);
  return sealValue(objectFrom(stored));
}

export function decodeEntry(id: number, bytes: Uint8Array): CatalogEntry {
  const stored = openValue(bytes, 'a catalog entry') as ValueObject;
  const namespace = stored['namespace'] as string;
  const name = stored['name'] as string;
  const info: CollectionInfo = {
    id,
    namespace,
    name,
    model: stored['model'] as Model,
    type: stored['type'] as CollectionInfo['type'],
    schema: stored['schema'] as unknown as SchemaSpec | undefined,
    columns: stored['columns'] as unknown as readonly ColumnSpec[] | undefined,
    foreignKeys: stored['foreignKeys'] as unknown as readonly ForeignKeySpec[] | undefined,
    indexes: (stored['indexes'] as readonly ValueObject[]).map((each) => indexFromValue(id, each)),
    uuidNamespace: collectionUuidNamespace(namespace, name),
    schemaVersion: stored['schemaVersion'] as number,
  };
  const historyStart = BigInt(`0x${stored['historyStart'] as string}`);
  return { info, historyStart, isDropped: stored['isDropped'] === true };
}

function indexToValue(index: IndexInfo): Value {
  const { id, name, type, fields, unique, sparse, deduplicate, storedValues, state } = index;
  const stored = { id, name, type, fields, unique, sparse, deduplicate, storedValues, state };
  return objectFrom(stored);
}

function indexFromValue(collectionId: number, stored: ValueObject): IndexInfo {
  const fields = stored['fields'] as readonly string[];
  const storedValues = stored['storedValues'] as readonly string[];
  return {
    id: stored['id'] as number,
    collectionId,
    name: stored['name'] as string,
    type: stored['type'] as IndexInfo['type'],
    fields,
    paths: fields.map(parseAttributePath),
    unique: stored['unique'] as boolean,
    sparse: stored['sparse'] as boolean,
    deduplicate: stored['deduplicate'] as boolean,
    storedValues,
    storedPaths: storedValues.map(parseAttributePath),
    state: stored['state'] as IndexInfo['state'],
  };
}

/** A copy with only defined attributes, as engine values. */
function plain(value: unknown): Value {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value as Value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return objectFrom(Object.fromEntries(entries.map(([name, each]) => [name, plain(each)])));
}
