import { assert, type ValueObject } from '@themisdb/base';
import { themisError, uuidOfKey, type Uuid } from '@themisdb/protocol';
import { RowBatch } from '../bulk/encoded-rows.ts';
import { insertRows, mayInsertRows } from '../bulk/insert-rows.ts';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { CollectionRules } from '../contract/store.ts';
import type {
  EncodedRows,
  InsertOptions,
  RefusedRow,
  Transaction,
  WriteOptions,
  WriteResult,
} from '../contract/transaction.ts';
import { decodeValue } from '../codec/decode.ts';
import { ownerBytes } from '../index/entries.ts';
import { keyText, type KeyText } from '../keys.ts';
import { CommittedRecord, type AnyRecord } from '../record.ts';
import { formatTimestamp } from '../timestamp.ts';
import { keyExists, keyOfNew, mergePatch, toStored } from './document.ts';
import { bufferChanges, checkOwners, entryChanges, type EntryChange } from './index-changes.ts';
import { PendingRecord } from './overlay.ts';
import { readRecord } from './reader.ts';
import type { TransactionState } from './state.ts';

type Operation = 'insert' | 'replace' | 'update' | 'remove';

/** A write that is checked and encoded, but not yet buffered. */
interface Draft {
  readonly operation: Operation;
  readonly collection: CollectionInfo;
  readonly uuid: Uuid;
  readonly key: string;
  readonly recordKey: Uint8Array;
  /** Of `recordKey`; absent where nobody needs it. */
  readonly text: KeyText | undefined;
  readonly before: AnyRecord | undefined;
  /** Undefined: remove. */
  readonly body: Uint8Array | undefined;
  readonly changes: readonly EntryChange[];
  /** Inserts with a key given by the user: is it free? */
  readonly mustBeNew: boolean;
  /** This transaction read the key from its snapshot already, and it was free there. */
  readonly isKnown: boolean;
}

const noneStored: ReadonlyMap<KeyText, Uint8Array | undefined> = new Map();

/** The writing half of a transaction. */
export class TransactionWriter {
  readonly #state: TransactionState;
  readonly #transaction: Transaction;

  constructor(state: TransactionState, transaction: Transaction) {
    this.#state = state;
    this.#transaction = transaction;
  }

  async insert(
    given: CollectionInfo,
    document: ValueObject,
    options: InsertOptions = {},
  ): Promise<WriteResult> {
    const [result] = await this.insertMany(given, [document], options);
    if ('error' in result!) throw result.error;
    return result!;
  }

  async insertMany(
    given: CollectionInfo,
    documents: readonly ValueObject[],
    options: InsertOptions = {},
  ): Promise<(WriteResult | { readonly error: unknown })[]> {
    const collection = this.#current(given);
    const rules = this.#state.context.rulesOf(collection);
    const drafts = documents.map((document) =>
      attempt(() => this.#draftInsert(collection, rules, document, options)),
    );
    const stored = await this.#readStored(drafts);
    const results: (WriteResult | { readonly error: unknown })[] = [];
    for (const draft of drafts) {
      if ('error' in draft) results.push(draft);
      else if (rules?.afterWrite === undefined)
        results.push(attempt(() => this.#buffer(draft, stored)));
      else results.push(await attemptLater(() => this.#bufferWithRules(draft, stored, rules)));
    }
    return results;
  }

  async insertRows(rows: EncodedRows): Promise<(RefusedRow | undefined)[]> {
    assert(rows instanceof RowBatch, 'rows come from a RowEncoder');
    const collection = this.#current(rows.collection);
    if (mayInsertRows(this.#state, collection, rows))
      return insertRows(this.#state, collection, rows);
    const documents = Array.from({ length: rows.count }, (_, i) => rows.document(i));
    const results = await this.insertMany(collection, documents);
    return results.map((result) => ('error' in result ? result : undefined));
  }

  async replace(
    given: CollectionInfo,
    uuid: Uuid,
    document: ValueObject,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    return this.#rewrite('replace', given, uuid, options, () => document);
  }

  async update(
    given: CollectionInfo,
    uuid: Uuid,
    patch: ValueObject,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    const merge = {
      mergeObjects: options.mergeObjects ?? true,
      removeNulls: options.removeNulls ?? false,
    };
    return this.#rewrite('update', given, uuid, options, (before) =>
      mergePatch(before, patch, merge),
    );
  }

  async remove(
    given: CollectionInfo,
    uuid: Uuid,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    const collection = this.#current(given);
    const before = await this.#mustRead(collection, uuid, options);
    const old = storedDocument(before);
    const parts = { uuid, key: old['_key'] as string, before, document: undefined, old };
    return this.#finish(this.#draft('remove', collection, parts));
  }

  async #rewrite(
    operation: 'replace' | 'update',
    given: CollectionInfo,
    uuid: Uuid,
    options: WriteOptions,
    change: (before: ValueObject) => ValueObject,
  ): Promise<WriteResult> {
    const collection = this.#current(given);
    const rules = this.#state.context.rulesOf(collection);
    const before = await this.#mustRead(collection, uuid, options);
    const old = storedDocument(before);
    const wanted = change(old);
    const prepared = rules?.prepare?.(wanted, { operation, before: old }) ?? wanted;
    const key = old['_key'] as string;
    const document = toStored(collection, prepared, key);
    return this.#finish(this.#draft(operation, collection, { uuid, key, before, document, old }));
  }

  /** Buffers one draft, with the reads its index entries need. */
  async #finish(draft: Draft): Promise<WriteResult> {
    const rules = this.#state.context.rulesOf(draft.collection);
    const stored = await this.#readStored([draft]);
    return rules?.afterWrite === undefined
      ? this.#buffer(draft, stored)
      : this.#bufferWithRules(draft, stored, rules);
  }

  /** The collection as it is now; its indexes may have changed since the caller looked it up. */
  #current(given: CollectionInfo): CollectionInfo {
    this.#state.mustBeOpen();
    if (this.#state.readOnly)
      throw themisError('BAD_REQUEST', { message: 'the transaction is read-only' });
    const current = this.#state.view.catalog.byId(given.id);
    if (current !== undefined) return current;
    throw themisError('COLLECTION_NOT_FOUND', {
      message: `collection "${given.name}" does not exist in this transaction's snapshot`,
    });
  }

  async #mustRead(
    collection: CollectionInfo,
    uuid: Uuid,
    options: WriteOptions,
  ): Promise<AnyRecord> {
    const record = await this.#read(collection, uuid, options);
    if (record === undefined)
      throw themisError('ENTITY_NOT_FOUND', {
        message: `collection "${collection.name}" has no entity ${uuid}`,
        details: { collection: collection.name, uuid },
      });
    if (options.ifVersion === undefined || record.version === options.ifVersion) return record;
    throw themisError('PRECONDITION_FAILED', {
      message: `entity ${uuid} of collection "${collection.name}" has version ${formatTimestamp(record.version)}, not ${formatTimestamp(options.ifVersion)}`,
      details: { uuid, version: formatTimestamp(record.version) },
    });
  }

  #read(
    collection: CollectionInfo,
    uuid: Uuid,
    options: WriteOptions,
  ): Promise<AnyRecord | undefined> | AnyRecord {
    const known = options.current;
    if (known instanceof CommittedRecord && known.uuid === uuid) {
      const text = keyText(known.recordKey);
      if (this.#state.overlay.records.get(text) === undefined) {
        this.#state.noteRead(text);
        return known;
      }
    }
    return readRecord(this.#state, collection, uuid);
  }

  #draftInsert(
    collection: CollectionInfo,
    rules: CollectionRules | undefined,
    given: ValueObject,
    options: InsertOptions,
  ): Draft {
    const prepared = rules?.prepare?.(given, { operation: 'insert' }) ?? given;
    const { key, isMade } = keyOfNew(this.#state.context, prepared);
    const document = toStored(collection, prepared, key);
    const uuid = uuidOfKey(collection.uuidNamespace, key);
    const parts = { uuid, key, before: undefined, document, old: undefined };
    const isKnown = options.isAbsent === true;
    return this.#draft('insert', collection, { ...parts, isMade, isKnown });
  }

  #draft(
    operation: Operation,
    collection: CollectionInfo,
    parts: {
      readonly uuid: Uuid;
      readonly key: string;
      readonly before: AnyRecord | undefined;
      readonly document: ValueObject | undefined;
      readonly old: ValueObject | undefined;
      /** The key was made here, of random bits: it is in nobody's way. */
      readonly isMade?: boolean;
      readonly isKnown?: boolean;
    },
  ): Draft {
    const { uuid, key, before, document, old } = parts;
    const recordKey = this.#state.recordKey(collection, uuid);
    const owner = recordKey.subarray(recordKey.length - ownerBytes);
    const body = document && this.#state.context.arena.encode(document, key);
    const changes = entryChanges(this.#state, collection, owner, { before: old, after: document });
    return {
      operation,
      collection,
      uuid,
      key,
      recordKey,
      text: parts.isMade === true ? undefined : keyText(recordKey),
      before,
      body,
      changes,
      mustBeNew: operation === 'insert' && parts.isMade !== true,
      isKnown: parts.isKnown ?? false,
    };
  }

  /** One round of reads for all that drafts must know of the snapshot. */
  async #readStored(
    drafts: readonly (Draft | { readonly error: unknown })[],
  ): Promise<ReadonlyMap<KeyText, Uint8Array | undefined>> {
    const texts: KeyText[] = [];
    const keys: Uint8Array[] = [];
    const { overlay, context } = this.#state;
    const { presence } = context;
    for (const draft of drafts) {
      if ('error' in draft) continue;
      if (
        draft.mustBeNew &&
        !draft.isKnown &&
        overlay.records.get(draft.text!) === undefined &&
        !presence.isSurelyAbsent(draft.recordKey)
      ) {
        texts.push(draft.text!);
        keys.push(draft.recordKey);
      }
      for (const { needsOwner, key } of draft.changes) {
        if (!needsOwner || presence.isSurelyAbsent(key)) continue;
        const text = keyText(key);
        if (overlay.entries.get(text) !== undefined) continue;
        texts.push(text);
        keys.push(key);
      }
    }
    if (keys.length === 0) return noneStored;
    const { engine } = this.#state.context;
    const values = await engine.multiGet(keys, { snapshot: this.#state.snapshot() });
    const found = new Map<KeyText, Uint8Array | undefined>();
    values.forEach((value, i) => {
      if (value !== undefined) found.set(texts[i]!, value);
    });
    return found;
  }

  async #bufferWithRules(
    draft: Draft,
    stored: ReadonlyMap<KeyText, Uint8Array | undefined>,
    rules: CollectionRules,
  ): Promise<WriteResult> {
    const state = this.#state;
    const mark = state.overlay.mark();
    const counts = new Map(state.counts);
    const writes = state.writes;
    try {
      const result = this.#buffer(draft, stored);
      const { before, after } = result;
      await rules.afterWrite!(this.#transaction, { operation: draft.operation, before, after });
      state.overlay.forgetMark();
      return result;
    } catch (error) {
      state.overlay.rollbackTo(mark);
      state.counts.clear();
      for (const [id, count] of counts) state.counts.set(id, count);
      state.writes = writes;
      throw error;
    }
  }

  /** Synchronous: all that can fail comes before anything is buffered. */
  #buffer(draft: Draft, stored: ReadonlyMap<KeyText, Uint8Array | undefined>): WriteResult {
    const state = this.#state;
    const { collection, uuid, key, recordKey, text, before, body } = draft;
    const pending = text === undefined ? undefined : state.overlay.records.get(text);
    if (draft.mustBeNew) this.#mustBeFree(draft, pending, stored);
    const owner = recordKey.subarray(recordKey.length - ownerBytes);
    const changes = checkOwners(state, draft.changes, owner, stored);
    this.#mustFit(draft);
    const committed =
      pending === undefined ? (before as CommittedRecord | undefined) : pending.committed;
    const parts = { collection, uuid, name: key, committed, before, body, cell: state.cell };
    const item = new PendingRecord(recordKey, parts, text);
    if (pending === undefined) state.overlay.records.append(item);
    else state.overlay.records.set(item);
    bufferChanges(state, changes, pending === undefined);
    const superseded = pending === undefined ? (committed?.envelope.length ?? 0) : 0;
    state.overlay.bytes += recordKey.length + (body?.length ?? 0) + superseded + 110;
    state.writes++;
    const delta = (body === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    if (delta !== 0) state.addCount(collection.id, delta);
    return item.result();
  }

  #mustBeFree(
    { collection, text, uuid }: Draft,
    pending: PendingRecord | undefined,
    stored: ReadonlyMap<KeyText, Uint8Array | undefined>,
  ): void {
    const isTaken = pending === undefined ? stored.has(text!) : pending.after !== undefined;
    if (!isTaken) return;
    this.#state.noteRead(text!);
    throw keyExists(collection, uuid);
  }

  #mustFit({ body }: Draft): void {
    const { limits } = this.#state.context;
    if (this.#state.writes >= limits.transactionWritesMax)
      tooLarge(`more than ${limits.transactionWritesMax} writes`);
    if (this.#state.overlay.bytes + (body?.length ?? 0) > limits.transactionBytesMax)
      tooLarge(`more than ${limits.transactionBytesMax} bytes`);
  }
}

function tooLarge(what: string): never {
  throw themisError('TRANSACTION_TOO_LARGE', {
    message: `the transaction would hold ${what}; commit in smaller parts`,
  });
}

/** The document as stored: without derived attributes. */
function storedDocument(record: AnyRecord): ValueObject {
  return decodeValue(record.checkedBytes(), record.bodyStart) as ValueObject;
}

function attempt<T>(run: () => T): T | { readonly error: unknown } {
  try {
    return run();
  } catch (error) {
    return { error };
  }
}

async function attemptLater<T>(run: () => Promise<T>): Promise<T | { readonly error: unknown }> {
  try {
    return await run();
  } catch (error) {
    return { error };
  }
}
