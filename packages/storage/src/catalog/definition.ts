import {
  collectionUuidNamespace,
  isModel,
  models,
  mustName,
  themisError,
} from '@themisdb/protocol';
import type { CollectionInfo, CollectionSpec, IndexInfo, IndexSpec } from '../contract/catalog.ts';
import { parseAttributePath } from '../index/attribute-path.ts';
import { isDerived } from '../codec/path-reader.ts';

/** Hands out ids that are never used again. */
export interface IdSource {
  collection(): number;
  index(): number;
}

/** Checks what a user declared and fills in the defaults. */
export function defineCollection(
  namespace: string,
  spec: CollectionSpec,
  ids: IdSource,
): CollectionInfo {
  mustName(namespace, 'namespace');
  mustName(spec.name, 'collection');
  const model = spec.model ?? 'document';
  if (!isModel(model)) invalid(`model must be one of ${models.join(', ')}`);
  const type = spec.type ?? 'document';
  if (type !== 'document' && type !== 'edge') invalid('type must be "document" or "edge"');
  checkColumns(spec, model);
  const id = ids.collection();
  return {
    id,
    namespace,
    name: spec.name,
    model,
    type,
    schema: spec.schema,
    columns: spec.columns,
    foreignKeys: spec.foreignKeys,
    indexes: indexesOfCollection({ ...spec, type }).map((index) => ({
      ...defineIndex(id, index, ids.index()),
      state: 'ready' as const,
    })),
    uuidNamespace: collectionUuidNamespace(namespace, spec.name),
    schemaVersion: 1,
  };
}

/** A model and its columns must fit; names of columns are unique and no system attributes. */
export function checkColumns(
  spec: Pick<CollectionSpec, 'columns' | 'foreignKeys'>,
  model: string,
): void {
  if (model === 'relational' && spec.columns === undefined)
    invalid('a relational collection needs columns');
  if (model !== 'relational' && spec.columns !== undefined)
    invalid(`columns are for model relational; the model is ${model}`);
  const names = spec.columns?.map(({ name }) => name) ?? [];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) invalid(`column ${JSON.stringify(twice)} is declared twice`);
}

/** Indexes every collection of this declaration has. */
export function indexesOfCollection(
  spec: Pick<CollectionSpec, 'type' | 'columns' | 'foreignKeys'>,
): IndexSpec[] {
  const edge: IndexSpec[] =
    spec.type === 'edge'
      ? ['_from', '_to'].map((field) => ({
          name: `edge${field}`,
          type: 'persistent',
          fields: [field],
        }))
      : [];
  return [...edge, ...columnIndexes(spec)];
}

/** Unique columns, and the columns of foreign keys, which removals of their target look up. */
export function columnIndexes(spec: Pick<CollectionSpec, 'columns' | 'foreignKeys'>): IndexSpec[] {
  const unique = (spec.columns ?? [])
    .filter((column) => column.unique && column.name !== '_key')
    .map(({ name }): IndexSpec => ({
      name: indexName('unique', name),
      type: 'persistent',
      fields: [name],
      unique: true,
      sparse: true,
    }));
  const foreign = (spec.foreignKeys ?? []).map(({ column }): IndexSpec => ({
    name: indexName('foreign', column),
    type: 'persistent',
    fields: [column],
  }));
  const names = new Set<string>();
  return [...unique, ...foreign].filter(({ name }) => !names.has(name!) && names.add(name!));
}

export function defineIndex(collectionId: number, spec: IndexSpec, id: number): IndexInfo {
  if (spec.type !== 'persistent')
    refuse(`index type ${JSON.stringify(spec.type)} is not supported; "persistent" is`);
  const { fields, storedValues = [] } = spec;
  if (!Array.isArray(fields) || fields.length === 0 || fields.length > 32)
    refuse('an index needs 1 to 32 fields');
  if (storedValues.length > 32) refuse('an index can store at most 32 values');
  if (new Set(fields).size !== fields.length) refuse('an index names a field twice');
  const paths = fields.map(parseAttributePath);
  if (paths.filter(({ expandAfter }) => expandAfter !== undefined).length > 1)
    refuse('an index can expand one field only');
  const storedPaths = storedValues.map(parseAttributePath);
  if (storedPaths.some(({ expandAfter }) => expandAfter !== undefined))
    refuse('stored values cannot expand arrays');
  if ([...paths, ...storedPaths].some(({ steps }) => isDerived(steps[0])))
    refuse('_id, _rev and _urn cannot be indexed; _key can');
  const name = spec.name ?? `idx_${id}`;
  mustName(name, 'index');
  return {
    id,
    collectionId,
    name,
    type: 'persistent',
    fields,
    paths,
    unique: spec.unique ?? false,
    sparse: spec.sparse ?? false,
    deduplicate: spec.deduplicate ?? true,
    storedValues,
    storedPaths,
    state: 'building',
  };
}

/** Whether `index` is what `spec` asks for, whatever its name. */
export function isSameIndex(index: IndexInfo, spec: IndexSpec): boolean {
  return (
    sameList(index.fields, spec.fields) &&
    sameList(index.storedValues, spec.storedValues ?? []) &&
    index.unique === (spec.unique ?? false) &&
    index.sparse === (spec.sparse ?? false) &&
    index.deduplicate === (spec.deduplicate ?? true)
  );
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}

function indexName(kind: string, column: string): string {
  return `${kind}_${column.replace(/[^A-Za-z0-9_-]/g, '_')}`.slice(0, 256);
}

function invalid(why: string): never {
  throw themisError('INVALID_FIELD', { message: `the collection cannot be made: ${why}` });
}

function refuse(why: string): never {
  throw themisError('INVALID_INDEX', { message: why });
}
