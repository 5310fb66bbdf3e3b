import { attribute, makeObject, suggest, type Value, type ValueObject } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { CollectionInfo, CollectionRules, ColumnSpec } from '@themisdb/storage';
import { columnTypes } from './column-types.ts';

const systemAttributes = ['_key', '_id', '_rev', '_urn', '_from', '_to'];

/**
 * Declared columns, strict on write: unknown attributes, wrong types and nulls in NOT NULL columns
 * are refused, defaults fill what is absent. Nothing is cast: "12" is not a number.
 */
export function columnRules(
  collection: CollectionInfo,
  columns: readonly ColumnSpec[],
): CollectionRules {
  const known = new Set([...systemAttributes, ...columns.map((column) => column.name)]);
  return {
    prepare(document) {
      const unknown = Object.keys(document).find((name) => !known.has(name));
      if (unknown !== undefined) throw unknownColumn(collection, columns, unknown);
      return complete(collection, columns, document);
    },
  };
}

/** The row with every declared column present, in declared order after the system attributes. */
function complete(
  collection: CollectionInfo,
  columns: readonly ColumnSpec[],
  document: ValueObject,
): ValueObject {
  const row = makeObject();
  for (const name of systemAttributes) {
    if (Object.hasOwn(document, name)) row[name] = document[name]!;
  }
  for (const column of columns) {
    const value = Object.hasOwn(document, column.name)
      ? attribute(document, column.name)
      : (column.default ?? null);
    checkColumn(collection, column, value);
    row[column.name] = value;
  }
  return row;
}

function checkColumn(collection: CollectionInfo, column: ColumnSpec, value: Value): void {
  if (value === null) {
    if (column.notNull) throw columnError(collection, column, 'must not be null');
    return;
  }
  const type = columnTypes[column.type];
  if (!type.holds(value)) throw columnError(collection, column, `must be ${type.demand}`);
}

function columnError(collection: CollectionInfo, column: ColumnSpec, demand: string): Error {
  return themisError('SCHEMA_VIOLATION', {
    message: `column ${column.name} (${column.type}) of ${collection.name} ${demand}`,
    details: { collection: collection.name, pointer: `/${column.name}`, keyword: column.type },
  });
}

function unknownColumn(
  collection: CollectionInfo,
  columns: readonly ColumnSpec[],
  name: string,
): Error {
  const names = columns.map((column) => column.name);
  const hint = suggest(name, names);
  return themisError('SCHEMA_VIOLATION', {
    message: `${collection.name} has no column ${JSON.stringify(name.slice(0, 100))}${hint ? `; did you mean "${hint}"?` : ''} Columns: ${names.join(', ')}`,
    details: { collection: collection.name, pointer: `/${name}`, keyword: 'column' },
  });
}
