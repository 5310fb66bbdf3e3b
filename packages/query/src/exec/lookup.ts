import { isArray, type Value } from '@themisdb/base';
import type { Uuid } from '@themisdb/protocol';
import type { Catalog, CollectionInfo, StoredRecord } from '@themisdb/storage';
import type { Evaluate } from '../expression/contract.ts';
import { findEntity, type EntityPlace } from './entity-id.ts';
import type { Batches, Operator, Row, Run } from './operator.ts';

export interface LookupParts {
  readonly nodeId: number;
  readonly register: number;
  /** Gives the name of the collection in DOCUMENT(collection, ids). */
  readonly collection: Evaluate | undefined;
  readonly ids: Evaluate;
  readonly catalog: Catalog;
}

/**
 * DOCUMENT(): a document or null for one id, an array of those found for an array of ids. One fetch
 * per collection for all rows of a batch.
 */
export function makeLookup(parts: LookupParts): Operator {
  return { nodeId: parts.nodeId, open: (input, run) => lookUpRows(input, parts, run) };
}

/** What one row asks for, and a place for each answer. */
interface Question {
  readonly many: boolean;
  readonly places: readonly (EntityPlace | undefined)[];
}

async function* lookUpRows(input: Batches, parts: LookupParts, run: Run): Batches {
  for await (const batch of input) {
    const questions = batch.map((row) => ask(row, parts, run));
    const found = await fetchAll(questions, run);
    batch.forEach((row, i) => {
      const { many, places } = questions[i]!;
      const documents = places.map((place): Value =>
        place === undefined ? null : documentAt(place, found),
      );
      row[parts.register] = many
        ? documents.filter((document) => document !== null)
        : (documents[0] ?? null);
    });
    if (run.checkpoint()) await run.pause();
    yield batch;
  }
}

function ask(row: Row, parts: LookupParts, run: Run): Question {
  const { context } = run;
  const { namespace } = context;
  const inside = parts.collection && collectionAt(parts.collection(row, context), parts, run);
  const ids = parts.ids(row, context);
  const many = isArray(ids);
  if (inside === null) return { many, places: [] };
  const places = (many ? ids : [ids]).map((id) => {
    if (typeof id !== 'string') return undefined;
    const place = findEntity(id, parts.catalog, namespace, inside);
    if (place === undefined || 'collection' in place) return place;
    context.warn('COLLECTION_NOT_FOUND', `DOCUMENT(): there is no collection ${place.unknown}.`);
    return undefined;
  });
  return { many, places };
}

function collectionAt(name: Value, parts: LookupParts, run: Run): CollectionInfo | null {
  const { context } = run;
  if (typeof name !== 'string') {
    context.warn('AQL_INVALID_ARGUMENT_TYPE', 'DOCUMENT() wants the name of a collection first.');
    return null;
  }
  const found = parts.catalog.find(context.namespace, name);
  if (found !== undefined) return found;
  context.warn('COLLECTION_NOT_FOUND', `DOCUMENT(): there is no collection ${name}.`);
  return null;
}

type Found = ReadonlyMap<CollectionInfo, ReadonlyMap<Uuid, StoredRecord>>;

async function fetchAll(questions: readonly Question[], run: Run): Promise<Found> {
  const wanted = new Map<CollectionInfo, Set<Uuid>>();
  for (const place of questions.flatMap((question) => question.places)) {
    if (place === undefined) continue;
    const uuids = wanted.get(place.collection) ?? new Set();
    wanted.set(place.collection, uuids.add(place.uuid));
  }
  const found = new Map<CollectionInfo, Map<Uuid, StoredRecord>>();
  for (const [collection, uuids] of wanted) {
    const records = await run.transaction.getMany(collection, [...uuids]);
    const byUuid = new Map<Uuid, StoredRecord>();
    for (const record of records) if (record !== undefined) byUuid.set(record.uuid, record);
    run.counters.documentLookups += byUuid.size;
    found.set(collection, byUuid);
  }
  return found;
}

/** A key that is not a uuid must also be the key of the record found under its uuid. */
function documentAt({ collection, uuid, key }: EntityPlace, found: Found): Value {
  const record = found.get(collection)?.get(uuid);
  if (record === undefined) return null;
  const document = record.document();
  return key === undefined || document['_key'] === key ? document : null;
}
