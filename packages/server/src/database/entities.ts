import type { ValueObject } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import {
  tryTimestamp,
  type StoredRecord,
  type Timestamp,
  type Transaction,
  type WriteOptions,
  type WriteResult,
} from '@themisdb/storage';
import { checkKeyOf, withKeyOf, type Target } from './target.ts';

/**
 * put: create or replace. insert: KEY_EXISTS when there is one. replace, update: ENTITY_NOT_FOUND when
 * there is none.
 */
export type WriteMode = 'put' | 'insert' | 'replace' | 'update';

/** Looks at the current version before a write; throws to refuse it. */
export type Precondition = (current: StoredRecord | undefined) => void;

/** Writes one entity in `transaction`. Whether it was created shows in `before`. */
export async function writeEntity(
  transaction: Transaction,
  target: Target,
  document: ValueObject,
  mode: WriteMode,
  options?: WriteOptions,
  precondition?: Precondition,
): Promise<WriteResult> {
  const { collection, uuid } = target;
  if (mode === 'insert' && precondition === undefined) {
    return transaction.insert(collection, withKeyOf(target, document));
  }
  checkKeyOf(target, document);
  if (mode !== 'put' && precondition === undefined) {
    return mode === 'update'
      ? transaction.update(collection, uuid, document, options)
      : transaction.replace(collection, uuid, document, options);
  }
  const current = await transaction.get(collection, uuid);
  precondition?.(current);
  const known = { ...options, current };
  if (mode === 'update') return transaction.update(collection, uuid, document, known);
  if (mode === 'insert' || (mode === 'put' && current === undefined && !options?.ifVersion)) {
    const isAbsent = current === undefined;
    return transaction.insert(collection, withKeyOf(target, document), { isAbsent });
  }
  return transaction.replace(collection, uuid, document, known);
}

export async function removeEntity(
  transaction: Transaction,
  target: Target,
  options?: WriteOptions,
  precondition?: Precondition,
): Promise<WriteResult> {
  const { collection, uuid } = target;
  if (precondition !== undefined) precondition(await transaction.get(collection, uuid));
  return transaction.remove(collection, uuid, options);
}

/** A `_rev` as the version it names; INVALID_FIELD when it is none. */
export function versionOf(rev: string | undefined, field: string): Timestamp | undefined {
  if (rev === undefined) return undefined;
  const version = tryTimestamp(rev);
  if (version !== undefined) return version;
  throw themisError('INVALID_FIELD', {
    message: `${field} must be a _rev of 16 hexadecimal digits`,
    details: { path: [field] },
  });
}
