import { makeObject, type ValueObject } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { CollectionInfo, CollectionRules, SchemaSpec } from '@themisdb/storage';
import { compileSchema, type Validate, type Violation } from './json-schema.ts';

/** JSON Schema validation of a collection at the level its schema asks for. */
export function schemaRules(collection: CollectionInfo, schema: SchemaSpec): CollectionRules {
  const validate = compileSchema(schema.rule);
  return {
    prepare(document, { operation, before }) {
      if (isJudged(schema.level, operation, before, validate)) {
        const found = validate(withoutSystem(document), '');
        if (found !== undefined) throw schemaViolation(collection, schema, found);
      }
      return document;
    },
  };
}

/** ArangoDB's levels ("Schema validation" in its manual). */
function isJudged(
  level: SchemaSpec['level'],
  operation: 'insert' | 'replace' | 'update',
  before: ValueObject | undefined,
  validate: Validate,
): boolean {
  if (level === 'none') return false;
  if (level === 'strict' || operation === 'insert' || before === undefined) return true;
  return level === 'moderate' && validate(withoutSystem(before), '') === undefined;
}

const systemAttributes: ReadonlySet<string> = new Set([
  '_key',
  '_id',
  '_rev',
  '_urn',
  '_from',
  '_to',
]);

/** A schema judges the user's attributes; the database's own are beyond its reach. */
function withoutSystem(document: ValueObject): ValueObject {
  const out = makeObject();
  for (const name of Object.keys(document)) {
    if (!systemAttributes.has(name)) out[name] = document[name]!;
  }
  return out;
}

function schemaViolation(collection: CollectionInfo, schema: SchemaSpec, found: Violation): Error {
  const own = schema.message === undefined ? '' : `${schema.message}: `;
  return themisError('SCHEMA_VIOLATION', {
    message: `${own}document for collection ${collection.name} at ${found.pointer}: ${found.message}`,
    details: { collection: collection.name, pointer: found.pointer, keyword: found.keyword },
  });
}
