import type { Model, Uuid } from '@themisdb/protocol';
import type { Value, ValueObject } from '@themisdb/base';

/** What a user declares of a collection. Absent fields take the defaults named here. */
export interface CollectionSpec {
  readonly name: string;
  /** Default `document`. */
  readonly model?: Model | undefined;
  /** Edge collections demand `_from` and `_to` and get an index on each. Default `document`. */
  readonly type?: 'document' | 'edge' | undefined;
  /** JSON Schema validation; see `models`. */
  readonly schema?: SchemaSpec | undefined;
  /** Declared columns; required for model `relational`, refused for others. */
  readonly columns?: readonly ColumnSpec[] | undefined;
  readonly foreignKeys?: readonly ForeignKeySpec[] | undefined;
}

export interface SchemaSpec {
  /** A JSON Schema (2020-12 subset; unsupported keywords are refused with INVALID_SCHEMA). */
  readonly rule: ValueObject;
  /** none: off; new: inserts only; moderate: also updates of documents that were valid; strict: all. */
  readonly level: 'none' | 'new' | 'moderate' | 'strict';
  readonly message?: string | undefined;
}

export type ColumnType =
  'string' | 'int' | 'float' | 'bool' | 'timestamp' | 'date' | 'uuid' | 'json' | 'array' | 'object';

export interface ColumnSpec {
  readonly name: string;
  readonly type: ColumnType;
  readonly notNull?: boolean | undefined;
  /** A unique index on this column is made with the collection. */
  readonly unique?: boolean | undefined;
  readonly default?: Value | undefined;
}

export interface ForeignKeySpec {
  /** One column of this collection, holding the `_key` (or value of `references.column`). */
  readonly column: string;
  readonly references: { readonly collection: string; readonly column?: string | undefined };
  readonly onDelete?: 'restrict' | 'cascade' | 'set null' | undefined;
}

export interface CollectionInfo {
  /** u32, never reused. */
  readonly id: number;
  readonly namespace: string;
  readonly name: string;
  readonly model: Model;
  readonly type: 'document' | 'edge';
  readonly schema?: SchemaSpec | undefined;
  readonly columns?: readonly ColumnSpec[] | undefined;
  readonly foreignKeys?: readonly ForeignKeySpec[] | undefined;
  readonly indexes: readonly IndexInfo[];
  /** For `uuidOfKey` of protocol. */
  readonly uuidNamespace: Uint8Array;
  /** Rises with every change of this entry: part of plan cache keys. */
  readonly schemaVersion: number;
}

export interface IndexSpec {
  readonly name?: string | undefined;
  readonly type: 'persistent';
  /** Dotted attribute paths; `[*]` after the last or a middle step expands an array. */
  readonly fields: readonly string[];
  readonly unique?: boolean | undefined;
  /** Entities in which any indexed attribute is null or absent are left out. */
  readonly sparse?: boolean | undefined;
  /** Attribute paths kept in the index entry, for covering reads. */
  readonly storedValues?: readonly string[] | undefined;
  /** With array expansion: whether equal elements of one entity make one entry. Default true. */
  readonly deduplicate?: boolean | undefined;
}

export interface IndexInfo {
  /** u32, never reused. */
  readonly id: number;
  readonly collectionId: number;
  readonly name: string;
  readonly type: 'persistent';
  readonly fields: readonly string[];
  /** `fields` parsed: one list of steps per field. */
  readonly paths: readonly AttributePath[];
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly deduplicate: boolean;
  readonly storedValues: readonly string[];
  readonly storedPaths: readonly AttributePath[];
  /** Only `ready` indexes answer queries; writes maintain both. */
  readonly state: 'building' | 'ready';
}

export interface AttributePath {
  readonly steps: readonly string[];
  /** Number of steps before the `[*]`, or undefined: `tags[*].name` has steps [tags, name], 1. */
  readonly expandAfter?: number | undefined;
}

export interface IndexStatistics {
  /** Estimated entries, and distinct keys divided by entries (1 = unique). */
  readonly entries: number;
  readonly selectivity: number;
}

/** An immutable view; a schema change makes a new one. */
export interface Catalog {
  readonly version: number;
  namespaces(): readonly string[];
  collections(namespace: string): readonly CollectionInfo[];
  find(namespace: string, name: string): CollectionInfo | undefined;
  byId(id: number): CollectionInfo | undefined;
}

/** Where an entity is: everything but the shard, which follows from the uuid. */
export interface EntityId {
  readonly collection: CollectionInfo;
  readonly uuid: Uuid;
}
