import { assert, concatBytes, hasCode } from '@themisdb/base';
import type { KvOperation } from '@themisdb/kv';
import type { SchemaChanges } from './catalog/schema-changes.ts';
import { lastChange, type ChangeLog } from './changes/change-log.ts';
import type { StoreContext } from './context.ts';
import type {
  AppliedPlace,
  CommandLog,
  HeldState,
  LogEntry,
  StateEntry,
  StateMachine,
} from './contract/command-log.ts';
import { rangeOf } from './keys.ts';
import type { Checkpointer } from './log/checkpoint.ts';
import { recover } from './log/recovery.ts';
import { View } from './transaction/views.ts';

const zero = new Uint8Array(1);

/** See the contract `StateMachine`. The store's face to its log. */
export class ShardMachine implements StateMachine {
  readonly #context: StoreContext;
  readonly #schema: SchemaChanges;
  readonly #changes: ChangeLog;
  readonly #checkpointer: Checkpointer;

  constructor(
    context: StoreContext,
    parts: {
      readonly schema: SchemaChanges;
      readonly changes: ChangeLog;
      readonly checkpointer: Checkpointer;
    },
  ) {
    this.#context = context;
    this.#schema = parts.schema;
    this.#changes = parts.changes;
    this.#checkpointer = parts.checkpointer;
  }

  get applied(): AppliedPlace {
    return this.#context.pipeline.applied;
  }

  get membership(): Uint8Array | undefined {
    return this.#context.pipeline.membership;
  }

  attach(log: CommandLog): void {
    this.#context.pipeline.attach(log);
  }

  async lead(): Promise<void> {
    this.#context.pipeline.lead();
    await this.#removeUnfinishedIndexes();
  }

  follow(state: { readonly leader: number | undefined; readonly committedIndex: number }): void {
    this.#context.pipeline.follow(state.leader, state.committedIndex);
  }

  apply(entries: readonly LogEntry[]): Promise<void> {
    return this.#context.pipeline.apply(entries);
  }

  fail(cause: unknown): void {
    this.#context.pipeline.fail(cause);
  }

  hold(): HeldState {
    const { views, engine, keys, pipeline } = this.#context;
    const view = views.hold();
    // Taken now: the engine may be written to before anybody reads.
    const snapshot = view.snapshot();
    const { applied, membership } = pipeline;
    return {
      applied,
      membership,
      async *entries(after) {
        const whole = rangeOf(keys.prefix());
        const range = after === undefined ? whole : { ...whole, gte: concatBytes(after, zero) };
        for await (const batch of engine.scan(range, { snapshot })) yield batch;
      },
      release: () => views.release(view),
    };
  }

  async install(batches: AsyncIterable<readonly StateEntry[]>): Promise<void> {
    const { engine, keys, views } = this.#context;
    assert(!this.#context.pipeline.isLeading, 'a leader does not take a snapshot');
    views.freeze();
    const { gte, lt } = rangeOf(keys.prefix());
    await engine.write([{ type: 'deleteRange', gte, lt }]);
    for await (const batch of batches)
      await engine.write(batch.map(({ key, value }): KvOperation => ({ type: 'put', key, value })));
    await engine.flush();
    await this.#reload();
  }

  /** Memory is brought up to an engine that holds another state now. */
  async #reload(): Promise<void> {
    const { engine, keys, clock, counters, presence, pages, recent, statistics, views, pipeline } =
      this.#context;
    const recovered = await recover(engine, keys);
    const { applied, catalog } = recovered;
    clock.observe(applied.timestamp);
    counters.replace(recovered.counters);
    statistics.replace(recovered.statistics);
    presence.clear();
    pages.clear();
    recent.restart(applied.index);
    this.#schema.setIds(recovered.ids);
    this.#checkpointer.setRetained(recovered.retained);
    const version = views.current.catalog.version + 1;
    const { index, timestamp } = applied;
    views.publish(new View(engine, { index, timestamp, catalog: catalog.asVersion(version) }));
    pipeline.restart(applied, recovered.membership);
    this.#changes.noteApplied(await lastChange(engine, keys));
  }

  /** A builder that ended in the middle: nobody was told that the index exists, so it goes. */
  async #removeUnfinishedIndexes(): Promise<void> {
    const { views, env } = this.#context;
    for (const collection of views.current.catalog.all()) {
      for (const index of collection.indexes) {
        if (index.state === 'ready') continue;
        env.log.write('warn', 'removing an index whose build was interrupted', {
          collection: collection.name,
          index: index.name,
        });
        await this.#schema.dropIndex(index).catch((error: unknown) => {
          // It stays unfinished and unused; asking for it again builds it, the next leader removes it.
          if (!hasCode(error, ...passing)) throw error;
        });
      }
    }
  }
}

const passing = [
  'DISK_FULL',
  'NOT_LEADER',
  'UNKNOWN_OUTCOME',
  'SHUTTING_DOWN',
  'STORE_FAILED',
  'INDEX_NOT_FOUND',
  'COLLECTION_NOT_FOUND',
] as const;
