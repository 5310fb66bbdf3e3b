import { isObject, type Value, type ValueObject } from '@themisdb/base';
import {
  models,
  type CollectionSpecBody,
  type ColumnBody,
  type ForeignKeyBody,
  type IndexSpecBody,
  type SchemaBody,
} from '@themisdb/protocol';
import { z } from 'zod';

/** A schema whose output is a type of the protocol; the test of the table holds them together. */
function typed<Output>(schema: z.ZodType): z.ZodType<Output> {
  return schema as z.ZodType<Output>;
}

/** Any JSON object, kept as the engine value it is. */
export const jsonObject: z.ZodType<ValueObject> = z
  .custom<ValueObject>((value) => isObject(value as Value), 'expected a JSON object')
  .meta({ type: 'object', additionalProperties: true });

export const anyJson: z.ZodType<Value> = z
  .custom<Value>(() => true)
  .meta({
    description: 'Any JSON value.',
  });

export const reference: z.ZodString = z
  .string()
  .min(1)
  .max(2000)
  .meta({
    description: 'An entity: a URN, or `collection/key`.',
    examples: [
      'urn:themis:document:default:users:550e8400-e29b-41d4-a716-446655440000',
      'users/ada',
    ],
  });

export const rev: z.ZodString = z
  .string()
  .regex(/^[0-9a-f]{16}$/, 'expected a version: 16 hexadecimal digits')
  .meta({ description: 'A version, as `_rev` shows it.', examples: ['0190f3a1b2c30000'] });

export const isolation: z.ZodEnum<{ serializable: 'serializable'; snapshot: 'snapshot' }> = z.enum([
  'serializable',
  'snapshot',
]);

const meta = {
  _key: z.string(),
  _id: z.string(),
  _rev: z.string(),
  _urn: z.string(),
};

export const entityMeta: z.ZodObject = z.object(meta).meta({ id: 'EntityMeta' });

export const entity: z.ZodType = z
  .looseObject(meta)
  .meta({ id: 'Entity', description: 'A document with its system attributes.' });

export const writeAnswer: z.ZodObject = z
  .object({
    ...meta,
    _old_rev: z.string().optional(),
    new: jsonObject.optional(),
    old: jsonObject.optional(),
  })
  .meta({ id: 'WriteAnswer' });

export const errorBody: z.ZodObject = z
  .object({
    code: z.string(),
    message: z.string(),
    position: z.object({ line: z.int(), column: z.int(), offset: z.int() }).optional(),
    details: z.looseObject({}).optional(),
  })
  .meta({ id: 'ErrorBody' });

export const problem: z.ZodObject = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    error: errorBody,
    retryable: z.boolean(),
    retry_after_ms: z.int().optional(),
    request_id: z.string(),
    doc: z.string(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document.' });

const index = {
  name: z.string().optional(),
  type: z.literal('persistent').optional(),
  fields: z.array(z.string()).min(1).max(32),
  unique: z.boolean().optional(),
  sparse: z.boolean().optional(),
  storedValues: z.array(z.string()).max(32).optional(),
  deduplicate: z.boolean().optional(),
};

export const indexSpec: z.ZodType<IndexSpecBody> = typed(
  z.strictObject(index).meta({ id: 'IndexSpec' }),
);

export const indexAnswer: z.ZodObject = z
  .object({
    ...index,
    id: z.int(),
    name: z.string(),
    type: z.literal('persistent'),
    state: z.enum(['building', 'ready']),
    entries: z.number(),
    selectivity: z.number(),
  })
  .meta({ id: 'Index' });

const schemaShape = {
  rule: jsonObject,
  level: z.enum(['none', 'new', 'moderate', 'strict']).optional(),
  message: z.string().optional(),
};
export const schemaSpec: z.ZodType<SchemaBody> = typed(
  z.strictObject(schemaShape).meta({ id: 'SchemaSpec' }),
);

export const schemaAnswer: z.ZodObject = z.object(schemaShape).partial();

const columnTypes = [
  'string',
  'int',
  'float',
  'bool',
  'timestamp',
  'date',
  'uuid',
  'json',
  'array',
  'object',
] as const;

export const columns: z.ZodType<readonly ColumnBody[]> = typed(
  z.array(
    z.strictObject({
      name: z.string(),
      type: z.enum(columnTypes),
      notNull: z.boolean().optional(),
      unique: z.boolean().optional(),
      default: anyJson.optional(),
    }),
  ),
);

export const foreignKeys: z.ZodType<readonly ForeignKeyBody[]> = typed(
  z.array(
    z.strictObject({
      column: z.string(),
      references: z.strictObject({ collection: z.string(), column: z.string().optional() }),
      onDelete: z.enum(['restrict', 'cascade', 'set null']).optional(),
    }),
  ),
);

const collectionShape = {
  name: z.string(),
  model: z.enum(models).optional(),
  type: z.enum(['document', 'edge']).optional(),
  schema: schemaSpec.optional(),
  columns: columns.optional(),
  foreignKeys: foreignKeys.optional(),
};
export const collectionSpec: z.ZodType<CollectionSpecBody> = typed(
  z.strictObject(collectionShape).meta({ id: 'CollectionSpec' }),
);

export const collectionAnswer: z.ZodObject = z
  .object({
    ...collectionShape,
    id: z.int(),
    namespace: z.string(),
    indexes: z.array(indexAnswer),
    count: z.number(),
    schemaVersion: z.int(),
  })
  .meta({ id: 'Collection' });
