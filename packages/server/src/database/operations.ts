import type { ValueObject } from '@themisdb/base';
import type { CollectionInfo, Transaction, WriteOptions, WriteResult } from '@themisdb/storage';
import { removeEntity, versionOf, writeEntity } from './entities.ts';
import { mustCollection } from './errors.ts';
import { targetOfKey } from './target.ts';
import type { EntityOperations, PatchOptions, VersionOptions } from './types.ts';
import { toDocument } from './values.ts';

/** Where operations find their collection and their transaction. */
export interface OperationContext {
  readonly namespace: string;
  read<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  write<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
}

export function makeOperations(context: OperationContext, name: string): EntityOperations {
  const collection = (tx: Transaction): CollectionInfo =>
    mustCollection(tx.catalog, context.namespace, name);
  const written = async (
    work: (transaction: Transaction) => Promise<WriteResult>,
  ): Promise<ValueObject> => {
    const result = await context.write(work);
    return (result.after ?? result.before)!.document();
  };
  return {
    async get(key) {
      return context.read(async (tx) => {
        const target = targetOfKey(collection(tx), key);
        return (await tx.get(target.collection, target.uuid))?.document();
      });
    },
    async getMany(keys) {
      return context.read(async (tx) => {
        const info = collection(tx);
        const uuids = keys.map((key) => targetOfKey(info, key).uuid);
        return (await tx.getMany(info, uuids)).map((record) => record?.document());
      });
    },
    async insert(document) {
      const value = toDocument(document);
      return written((tx) => tx.insert(collection(tx), value));
    },
    async put(key, document, options) {
      const value = toDocument(document);
      return written((tx) => {
        const target = targetOfKey(collection(tx), key);
        return writeEntity(tx, target, value, 'put', writeOptions(options));
      });
    },
    async replace(key, document, options) {
      const value = toDocument(document);
      return written((tx) => {
        const target = targetOfKey(collection(tx), key);
        return writeEntity(tx, target, value, 'replace', writeOptions(options));
      });
    },
    async patch(key, patch, options) {
      const value = toDocument(patch);
      return written((tx) => {
        const target = targetOfKey(collection(tx), key);
        return writeEntity(tx, target, value, 'update', writeOptions(options));
      });
    },
    async delete(key, options) {
      return written((tx) =>
        removeEntity(tx, targetOfKey(collection(tx), key), writeOptions(options)),
      );
    },
    async count() {
      return context.read((tx) => tx.count(collection(tx)));
    },
  };
}

function writeOptions(
  options: (VersionOptions & PatchOptions) | undefined,
): WriteOptions | undefined {
  if (options === undefined) return undefined;
  return {
    ifVersion: versionOf(options.ifRev, 'ifRev'),
    removeNulls: options.removeNulls,
    mergeObjects: options.mergeObjects,
  };
}
