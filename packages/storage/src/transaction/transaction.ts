import type { ValueObject } from '@themisdb/base';
import type { Uuid } from '@themisdb/protocol';
import type { Catalog, CollectionInfo, IndexInfo } from '../contract/catalog.ts';
import type {
  EncodedRows,
  IndexEntry,
  IndexRange,
  InsertOptions,
  RefusedRow,
  RememberedAnswer,
  ScanRequest,
  StoredRecord,
  Timestamp,
  Transaction,
  TransactionOptions,
  WriteOptions,
  WriteResult,
} from '../contract/transaction.ts';
import { answerName } from '../changes/answers.ts';
import type { StoreContext } from '../context.ts';
import * as asOf from '../history/as-of.ts';
import { checkAnswers, findAnswer, TransactionProposal } from './commit.ts';
import * as reader from './reader.ts';
import { TransactionState } from './state.ts';
import { TransactionWriter } from './writer.ts';

/** See the contract `Transaction`. This class only joins reading, writing and committing. */
export class StoreTransaction implements Transaction {
  readonly #state: TransactionState;
  #writerMade: TransactionWriter | undefined;

  constructor(context: StoreContext, options: TransactionOptions) {
    this.#state = new TransactionState(context, options);
  }

  get readTimestamp(): Timestamp {
    return this.#state.asOf ?? this.#state.view.timestamp;
  }

  get provisionalVersion(): Timestamp {
    return this.#state.cell.version;
  }

  get catalog(): Catalog {
    return this.#state.view.catalog;
  }

  get readOnly(): boolean {
    return this.#state.readOnly;
  }

  get indexesReadable(): boolean {
    return this.#state.asOf === undefined;
  }

  get state(): 'open' | 'committed' | 'rolled-back' {
    const { status } = this.#state;
    return status === 'committing' ? 'open' : status;
  }

  get writes(): number {
    return this.#state.writes;
  }

  async get(collection: CollectionInfo, uuid: Uuid): Promise<StoredRecord | undefined> {
    this.#state.mustBeOpen();
    return this.#state.asOf === undefined
      ? reader.readRecord(this.#state, collection, uuid)
      : asOf.readRecord(this.#state, collection, uuid);
  }

  async getMany(
    collection: CollectionInfo,
    uuids: readonly Uuid[],
  ): Promise<(StoredRecord | undefined)[]> {
    this.#state.mustBeOpen();
    return this.#state.asOf === undefined
      ? reader.readRecords(this.#state, collection, uuids)
      : Promise.all(uuids.map((uuid) => asOf.readRecord(this.#state, collection, uuid)));
  }

  scan(
    collection: CollectionInfo,
    request: ScanRequest = {},
  ): AsyncIterableIterator<StoredRecord[]> {
    this.#state.mustBeOpen();
    return this.#state.asOf === undefined
      ? reader.scanRecords(this.#state, collection, request)
      : asOf.scanRecords(this.#state, collection, request);
  }

  scanIndex(
    _collection: CollectionInfo,
    index: IndexInfo,
    range: IndexRange,
    request: ScanRequest = {},
  ): AsyncIterableIterator<IndexEntry[]> {
    this.#state.mustBeOpen();
    return reader.scanEntries(this.#state, index, range, request);
  }

  async count(collection: CollectionInfo): Promise<number> {
    this.#state.mustBeOpen();
    return this.#state.asOf === undefined
      ? reader.countRecords(this.#state, collection)
      : asOf.countRecords(this.#state, collection);
  }

  insert(
    collection: CollectionInfo,
    document: ValueObject,
    options?: InsertOptions,
  ): Promise<WriteResult> {
    return this.#writer().insert(collection, document, options);
  }

  insertMany(
    collection: CollectionInfo,
    documents: readonly ValueObject[],
  ): Promise<(WriteResult | { readonly error: unknown })[]> {
    return this.#writer().insertMany(collection, documents);
  }

  insertRows(rows: EncodedRows): Promise<(RefusedRow | undefined)[]> {
    return this.#writer().insertRows(rows);
  }

  replace(
    collection: CollectionInfo,
    uuid: Uuid,
    document: ValueObject,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    return this.#writer().replace(collection, uuid, document, options);
  }

  update(
    collection: CollectionInfo,
    uuid: Uuid,
    patch: ValueObject,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    return this.#writer().update(collection, uuid, patch, options);
  }

  remove(collection: CollectionInfo, uuid: Uuid, options?: WriteOptions): Promise<WriteResult> {
    return this.#writer().remove(collection, uuid, options);
  }

  async findAnswer(key: string): Promise<RememberedAnswer | undefined> {
    this.#state.mustBeOpen();
    return findAnswer(this.#state, key);
  }

  rememberAnswer(key: string, answer: RememberedAnswer): void {
    this.#state.mustBeOpen();
    answerName(key);
    this.#state.answers.set(key, answer);
  }

  async commit(): Promise<Timestamp> {
    const state = this.#state;
    state.mustBeOpen();
    if (state.overlay.isEmpty && state.answers.size === 0) {
      state.end('committed');
      return this.readTimestamp;
    }
    state.status = 'committing';
    try {
      if (state.answers.size > 0) await checkAnswers(state);
      const { timestamp } = await state.context.pipeline.submit(new TransactionProposal(state));
      state.cell.version = timestamp;
      state.end('committed');
      return timestamp;
    } catch (error) {
      state.end('rolled-back');
      throw error;
    }
  }

  rollback(): void {
    if (this.#state.status === 'open') this.#state.end('rolled-back');
  }

  #writer(): TransactionWriter {
    return (this.#writerMade ??= new TransactionWriter(this.#state, this));
  }
}
