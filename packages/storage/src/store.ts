import type {
  Catalog,
  CollectionInfo,
  CollectionSpec,
  IndexInfo,
  IndexSpec,
  IndexStatistics,
} from './contract/catalog.ts';
import type {
  ChangesPage,
  ChangesRequest,
  ChangeToken,
  Store,
  StoreStats,
} from './contract/store.ts';
import type {
  RememberedAnswer,
  RowEncoder,
  RowEncoderOptions,
  Timestamp,
  Transaction,
  TransactionOptions,
} from './contract/transaction.ts';
import { themisError } from '@themisdb/protocol';
import { makeRowEncoder } from './bulk/row-encoder.ts';
import type { SchemaChanges } from './catalog/schema-changes.ts';
import { answerName, decodeAnswer } from './changes/answers.ts';
import type { ChangeLog } from './changes/change-log.ts';
import type { StoreContext } from './context.ts';
import { buildIndex } from './index/build.ts';
import type { Checkpointer } from './log/checkpoint.ts';
import { formatTimestamp } from './timestamp.ts';
import { StoreTransaction } from './transaction/transaction.ts';

/** See the contract `Store`. This class joins the parts; `openStore` makes them. */
export class ShardStore implements Store {
  readonly context: StoreContext;
  readonly #schema: SchemaChanges;
  readonly #changes: ChangeLog;
  readonly #checkpointer: Checkpointer;
  readonly #builds = new Map<number, Promise<IndexInfo>>();

  constructor(
    context: StoreContext,
    parts: {
      readonly schema: SchemaChanges;
      readonly changes: ChangeLog;
      readonly checkpointer: Checkpointer;
    },
  ) {
    this.context = context;
    this.#schema = parts.schema;
    this.#changes = parts.changes;
    this.#checkpointer = parts.checkpointer;
  }

  catalog(): Catalog {
    return this.context.views.current.catalog;
  }

  get lastCommit(): Timestamp {
    return this.context.views.current.timestamp;
  }

  begin(options: TransactionOptions = {}): Transaction {
    this.context.pipeline.mustTakeMore();
    if (options.asOf !== undefined) this.#checkMoment(options.asOf);
    return new StoreTransaction(this.context, options);
  }

  #checkMoment(moment: Timestamp): void {
    const { clock } = this.context;
    if (moment > clock.now())
      throw themisError('SNAPSHOT_IN_FUTURE', {
        message: `the moment ${formatTimestamp(moment)} has not happened yet`,
      });
    const start = this.#checkpointer.historyStart;
    if (moment < start)
      throw themisError('SNAPSHOT_TOO_OLD', {
        message: `history is kept from ${formatTimestamp(start)} on; asked for was ${formatTimestamp(moment)}`,
        details: { oldest: formatTimestamp(start) },
      });
    clock.observe(moment);
  }

  createCollection(namespace: string, spec: CollectionSpec): Promise<CollectionInfo> {
    return this.#schema.createCollection(namespace, spec);
  }

  async alterCollection(
    collection: CollectionInfo,
    change: Pick<CollectionSpec, 'schema' | 'columns' | 'foreignKeys'>,
  ): Promise<CollectionInfo> {
    await this.#schema.alterCollection(collection, change);
    for (const spec of this.#schema.missingIndexes(collection))
      await this.createIndex(collection, spec);
    return this.context.views.current.catalog.byId(collection.id)!;
  }

  dropCollection(collection: CollectionInfo): Promise<void> {
    return this.#schema.dropCollection(collection);
  }

  truncateCollection(collection: CollectionInfo): Promise<void> {
    return this.#schema.truncateCollection(collection);
  }

  async createIndex(
    collection: CollectionInfo,
    spec: IndexSpec,
    onProgress?: (done: number, total: number) => void,
  ): Promise<IndexInfo> {
    const index = await this.#schema.addIndex(collection, spec);
    if (index.state === 'ready') return index;
    let build = this.#builds.get(index.id);
    if (build === undefined) {
      build = this.#build(index, onProgress).finally(() => this.#builds.delete(index.id));
      this.#builds.set(index.id, build);
    }
    return build;
  }

  async #build(
    index: IndexInfo,
    onProgress: ((done: number, total: number) => void) | undefined,
  ): Promise<IndexInfo> {
    try {
      await buildIndex(this.context, index, onProgress);
      return await this.#schema.finishIndex(index);
    } catch (error) {
      const collection = this.context.views.current.catalog.byId(index.collectionId);
      const isThere = collection?.indexes.some(({ id }) => id === index.id);
      // Where this replica does not lead any more, the next leader removes what is unfinished.
      if (isThere && this.context.pipeline.isLeading) await this.#schema.dropIndex(index);
      throw error;
    }
  }

  async dropIndex(collection: CollectionInfo, index: IndexInfo): Promise<void> {
    if (collection.type === 'edge' && /^edge_(from|to)$/.test(index.name))
      throw themisError('INVALID_INDEX', {
        message: `index "${index.name}" belongs to the edge collection and cannot be dropped`,
      });
    await this.#schema.dropIndex(index);
  }

  rowEncoder(collection: CollectionInfo, options: RowEncoderOptions = {}): RowEncoder | undefined {
    return makeRowEncoder(this.context, collection, options);
  }

  approximateCount(collection: CollectionInfo): number {
    return this.context.counters.get(collection.id);
  }

  indexStatistics(index: IndexInfo): IndexStatistics {
    return this.context.statistics.of(index);
  }

  async findAnswer(key: string): Promise<RememberedAnswer | undefined> {
    const { engine, keys, clock, pipeline } = this.context;
    pipeline.mustBeAlive();
    const stored = await engine.get(keys.answer(answerName(key)));
    if (stored === undefined) return undefined;
    const { fingerprint, body, timestamp, expires } = decodeAnswer(stored);
    return expires > clock.now() ? { fingerprint, body, timestamp } : undefined;
  }

  readChanges(request: ChangesRequest): Promise<ChangesPage> {
    return this.#changes.read(request);
  }

  waitForChange(token: ChangeToken, signal: AbortSignal): Promise<void> {
    return this.#changes.wait(token, signal);
  }

  stats(): StoreStats {
    const { pipeline, views, conflicts } = this.context;
    return {
      commits: pipeline.commits,
      conflicts,
      transactionsOpen: views.openCount,
      appliedIndex: views.current.index,
      flushedIndex: this.#checkpointer.flushedIndex,
    };
  }

  checkpoint(): Promise<void> {
    return this.#checkpointer.run();
  }

  async close(): Promise<void> {
    await this.context.pipeline.close();
    // A build under way was refused its next commit; what it left is removed at the next opening.
    await Promise.allSettled(this.#builds.values());
    await this.#checkpointer.close();
    this.#changes.close();
    this.context.views.close();
  }
}
