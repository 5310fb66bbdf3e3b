import { themisError } from '@themisdb/protocol';
import type { CollectionInfo, CollectionSpec, IndexInfo, IndexSpec } from '../contract/catalog.ts';
import type { Timestamp } from '../contract/transaction.ts';
import { encodeChanges, type ChangeOperation } from '../changes/change-codec.ts';
import type { StoreContext } from '../context.ts';
import { keyText, metaName, rangeOf, space } from '../keys.ts';
import { CommandWriter } from '../log/command.ts';
import { encodeCount } from '../log/counters.ts';
import type { Formed } from '../log/pipeline.ts';
import type { TextRange } from '../transaction/recent-writes.ts';
import { encodeEntry, sealValue } from './catalog-codec.ts';
import type { CatalogEntry, CatalogView } from './catalog.ts';
import {
  checkColumns,
  columnIndexes,
  defineCollection,
  defineIndex,
  isSameIndex,
  type IdSource,
} from './definition.ts';

/** What a schema change writes beside the catalog entry. */
interface Effects {
  /** Everything the collection holds, or only one index. */
  readonly clear?: 'collection' | { readonly index: IndexInfo };
  readonly change?: ChangeOperation;
}

/**
 * Changes of the catalog: one at a time, each one command. Every change writes the collection's
 * catalog key, which transactions that write to the collection validate: none commits that computed
 * its index entries from an older definition.
 */
export class SchemaChanges {
  readonly #context: StoreContext;
  readonly #ids: StoredIds;
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: StoreContext, ids: { readonly collection: number; readonly index: number }) {
    this.#context = context;
    this.#ids = new StoredIds(ids);
  }

  /** Another replica gave ids out. */
  setIds(ids: { readonly collection: number; readonly index: number }): void {
    this.#ids.set(ids);
  }

  createCollection(namespace: string, spec: CollectionSpec): Promise<CollectionInfo> {
    return this.#exclusive(async () => {
      if (this.#catalog.find(namespace, spec.name) !== undefined)
        throw themisError('COLLECTION_EXISTS', {
          message: `namespace "${namespace}" has a collection "${spec.name}" already`,
        });
      const info = defineCollection(namespace, spec, this.#ids);
      await this.#put({ info, historyStart: 0n, isDropped: false });
      return info;
    });
  }

  alterCollection(
    collection: CollectionInfo,
    change: Pick<CollectionSpec, 'schema' | 'columns' | 'foreignKeys'>,
  ): Promise<CollectionInfo> {
    return this.#alter(collection.id, ({ info, ...rest }) => {
      const next = { ...info, ...change, schemaVersion: info.schemaVersion + 1 };
      checkColumns(next, info.model);
      return { ...rest, info: next };
    });
  }

  /** Indexes that columns and foreign keys of a changed declaration ask for and that are missing. */
  missingIndexes(collection: CollectionInfo): IndexSpec[] {
    const info = this.#mustFind(collection.id).info;
    return columnIndexes(info).filter(
      (spec) => !info.indexes.some((index) => isSameIndex(index, spec)),
    );
  }

  async dropCollection(collection: CollectionInfo): Promise<void> {
    await this.#alter(collection.id, (entry) => ({ ...entry, isDropped: true }), {
      clear: 'collection',
      change: 'drop',
    });
  }

  async truncateCollection(collection: CollectionInfo): Promise<void> {
    await this.#alter(collection.id, (entry) => entry, { clear: 'collection', change: 'truncate' });
  }

  /** The index there is, or a new one in state `building`. */
  addIndex(collection: CollectionInfo, spec: IndexSpec): Promise<IndexInfo> {
    return this.#exclusive(async () => {
      const entry = this.#mustFind(collection.id);
      const { indexes } = entry.info;
      const same = indexes.find((index) => isSameIndex(index, spec));
      if (same !== undefined) return same;
      if (spec.name !== undefined && indexes.some(({ name }) => name === spec.name))
        throw themisError('INDEX_EXISTS', {
          message: `collection "${collection.name}" has an index "${spec.name}" with another definition`,
        });
      const index = defineIndex(collection.id, spec, this.#ids.index());
      await this.#put(withIndexes(entry, [...indexes, index]));
      return index;
    });
  }

  async finishIndex(index: IndexInfo): Promise<IndexInfo> {
    const ready: IndexInfo = { ...index, state: 'ready' };
    await this.#alter(index.collectionId, (entry) => {
      mustHave(entry, index);
      const others = entry.info.indexes.map((each) => (each.id === index.id ? ready : each));
      return withIndexes(entry, others);
    });
    return ready;
  }

  async dropIndex(index: IndexInfo): Promise<void> {
    await this.#alter(
      index.collectionId,
      (entry) => {
        mustHave(entry, index);
        return withIndexes(
          entry,
          entry.info.indexes.filter(({ id }) => id !== index.id),
        );
      },
      { clear: { index } },
    );
  }

  get #catalog(): CatalogView {
    return this.#context.views.current.catalog;
  }

  #mustFind(id: number): CatalogEntry {
    const entry = this.#catalog.entry(id);
    if (entry !== undefined && !entry.isDropped) return entry;
    throw themisError('COLLECTION_NOT_FOUND', {
      message: `collection ${JSON.stringify(entry?.info.name ?? `#${id}`)} does not exist`,
    });
  }

  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run, run);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #alter(
    id: number,
    change: (entry: CatalogEntry) => CatalogEntry,
    effects: Effects = {},
  ): Promise<CollectionInfo> {
    return this.#exclusive(async () => {
      const next = change(this.#mustFind(id));
      await this.#put(next, effects);
      return next.info;
    });
  }

  async #put(entry: CatalogEntry, effects: Effects = {}): Promise<void> {
    const form = (timestamp: Timestamp): Formed => this.#form(timestamp, entry, effects);
    await this.#context.pipeline.submit({ form, sizeHint: 1024 });
  }

  #form(timestamp: Timestamp, given: CatalogEntry, { clear, change }: Effects): Formed {
    const { keys, statistics } = this.#context;
    const { id } = given.info;
    const entry = clear === 'collection' ? { ...given, historyStart: timestamp } : given;
    const command = new CommandWriter(timestamp, 1024);
    const key = keys.meta(metaName.collection, id);
    command.put(key, encodeEntry(entry));
    command.put(keys.meta(metaName.ids), this.#ids.encode());
    this.#startPresence(entry);
    const ranges: TextRange[] = [];
    const cleared = clear === 'collection' ? given.info.indexes : clear ? [clear.index] : [];
    for (const index of cleared)
      ranges.push(this.#clear(command, keys.owned(space.index, index.id)));
    const undo = clear === 'collection' ? this.#clearRecords(command, id, ranges) : undefined;
    if (change !== undefined)
      command.changes(encodeChanges(timestamp, [{ operation: change, collectionId: id }]));
    return {
      command: command.finish(),
      written: [{ text: keyText(key) }],
      ranges,
      catalog: this.#context.pipeline.catalog.with(entry),
      applied: () => cleared.forEach((index) => statistics.drop(index.id)),
      ...(undo && { undo }),
    };
  }

  /** What is new has nothing in it: all that comes, from the builder of an index too, is known. */
  #startPresence(entry: CatalogEntry): void {
    const { presence } = this.#context;
    const known = this.#catalog.entry(entry.info.id);
    if (known === undefined) presence.start(space.record, entry.info.id);
    for (const index of entry.info.indexes) {
      const isNew = known?.info.indexes.every(({ id }) => id !== index.id) ?? true;
      if (index.unique && isNew) presence.start(space.index, index.id);
    }
  }

  #clearRecords(command: CommandWriter, id: number, ranges: TextRange[]): () => void {
    const { keys, counters, pages } = this.#context;
    pages.drop(id);
    ranges.push(this.#clear(command, keys.owned(space.record, id)));
    this.#clear(command, keys.owned(space.history, id));
    command.put(keys.meta(metaName.count, id), encodeCount(0));
    const count = counters.get(id);
    counters.set(id, 0);
    return () => counters.set(id, count);
  }

  #clear(command: CommandWriter, prefix: Uint8Array): TextRange {
    const { gte, lt } = rangeOf(prefix);
    command.deleteRange(gte, lt);
    return { gte: keyText(gte), lt: keyText(lt) };
  }
}

/** Ids rise and are stored with every change; one that failed leaves a gap at most. */
class StoredIds implements IdSource {
  #collection: number;
  #index: number;

  constructor(ids: { readonly collection: number; readonly index: number }) {
    this.#collection = ids.collection;
    this.#index = ids.index;
  }

  set({ collection, index }: { readonly collection: number; readonly index: number }): void {
    this.#collection = collection;
    this.#index = index;
  }

  collection(): number {
    return this.#collection++;
  }

  index(): number {
    return this.#index++;
  }

  encode(): Uint8Array {
    return sealValue([this.#collection, this.#index]);
  }
}

function withIndexes(entry: CatalogEntry, indexes: readonly IndexInfo[]): CatalogEntry {
  const { info } = entry;
  return { ...entry, info: { ...info, indexes, schemaVersion: info.schemaVersion + 1 } };
}

function mustHave({ info }: CatalogEntry, index: IndexInfo): void {
  if (info.indexes.some(({ id }) => id === index.id)) return;
  throw themisError('INDEX_NOT_FOUND', {
    message: `collection "${info.name}" has no index "${index.name}"`,
  });
}
