import { suggest } from '@themisdb/base';
import { isModel, models, mustName, themisError } from '@themisdb/protocol';
import type { Catalog, CollectionSpec, ColumnSpec, ForeignKeySpec } from '@themisdb/storage';
import { compileSchema } from '../document/json-schema.ts';
import { columnTypes } from '../relational/column-types.ts';

const served = ['document', 'relational'];
const levels = ['none', 'new', 'moderate', 'strict'];
const actions = ['restrict', 'cascade', 'set null'];

/**
 * Refuses a collection declaration that could not be kept: wrong names, a model not served yet,
 * columns of unknown types, defaults that break their column, foreign keys that lead nowhere.
 */
export function checkCollectionSpec(
  namespace: string,
  spec: CollectionSpec,
  catalog: Catalog,
): void {
  mustName(spec.name, 'collection');
  const model = spec.model ?? 'document';
  if (!isModel(model)) {
    throw invalid(
      'model',
      `${JSON.stringify(model)} is not a model; allowed: ${models.join(', ')}`,
    );
  }
  if (!served.includes(model)) {
    throw themisError('NOT_IMPLEMENTED', {
      message: `model ${model} is not served by this version; served: ${served.join(', ')}`,
    });
  }
  if (model === 'relational') checkRelational(namespace, spec, catalog);
  else if (spec.columns !== undefined || spec.foreignKeys !== undefined) {
    throw invalid('columns', 'columns and foreignKeys belong to the model relational');
  }
  if (spec.schema !== undefined) checkSchema(spec.schema);
}

export function checkSchema(schema: NonNullable<CollectionSpec['schema']>): void {
  if (!levels.includes(schema.level)) {
    throw themisError('INVALID_SCHEMA', {
      message: `schema level ${JSON.stringify(schema.level)} is unknown; allowed: ${levels.join(', ')}`,
    });
  }
  compileSchema(schema.rule);
}

function checkRelational(namespace: string, spec: CollectionSpec, catalog: Catalog): void {
  const columns = spec.columns ?? [];
  if (columns.length === 0)
    throw invalid('columns', 'a relational collection declares at least one column');
  const names = new Set<string>();
  for (const column of columns) {
    if (names.has(column.name))
      throw invalid('columns', `column ${JSON.stringify(column.name)} is declared twice`);
    names.add(column.name);
    checkColumn(column);
  }
  for (const key of spec.foreignKeys ?? []) checkForeignKey(namespace, spec, key, names, catalog);
}

function checkColumn(column: ColumnSpec): void {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,127}$/.test(column.name)) {
    throw invalid(
      'columns',
      `column name ${JSON.stringify(column.name.slice(0, 80))} is not allowed: a letter, then up to 127 letters, digits and _`,
    );
  }
  if (!Object.hasOwn(columnTypes, column.type)) {
    const hint = suggest(column.type, Object.keys(columnTypes));
    throw invalid(
      'columns',
      `column ${column.name} has the unknown type ${JSON.stringify(column.type)}${hint ? `; did you mean "${hint}"?` : ''} Types: ${Object.keys(columnTypes).join(', ')}`,
    );
  }
  const preset = column.default ?? null;
  if (preset !== null && !columnTypes[column.type].holds(preset)) {
    throw invalid(
      'columns',
      `the default of column ${column.name} must be ${columnTypes[column.type].demand}`,
    );
  }
}

function checkForeignKey(
  namespace: string,
  spec: CollectionSpec,
  key: ForeignKeySpec,
  columns: ReadonlySet<string>,
  catalog: Catalog,
): void {
  if (!columns.has(key.column))
    throw invalid('foreignKeys', `${JSON.stringify(key.column)} is not a column of ${spec.name}`);
  if (key.onDelete !== undefined && !actions.includes(key.onDelete)) {
    throw invalid(
      'foreignKeys',
      `onDelete ${JSON.stringify(key.onDelete)} is unknown; allowed: ${actions.join(', ')}`,
    );
  }
  if (key.onDelete === 'set null' && spec.columns?.find((c) => c.name === key.column)?.notNull) {
    throw invalid(
      'foreignKeys',
      `column ${key.column} is not null, so it cannot be set to null on delete`,
    );
  }
  const target = key.references.collection;
  const isSelf = target === spec.name;
  const other = catalog.find(namespace, target);
  if (!isSelf && other === undefined)
    throw invalid(
      'foreignKeys',
      `collection ${JSON.stringify(target)} does not exist in namespace ${namespace}`,
    );
  const column = key.references.column ?? '_key';
  if (column === '_key') return;
  const isUnique = isSelf
    ? spec.columns?.some((c) => c.name === column && c.unique)
    : other!.indexes.some((i) => i.unique && i.fields.length === 1 && i.fields[0] === column);
  if (!isUnique)
    throw invalid('foreignKeys', `${target}.${column} must be _key or have a unique index`);
}

function invalid(field: string, why: string): Error {
  return themisError('INVALID_FIELD', { message: `${field}: ${why}`, details: { field } });
}
