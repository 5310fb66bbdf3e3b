import { hasCode, type Env } from '@themisdb/base';
import type { KvEngine } from '@themisdb/kv';
import { loadTokenHash } from '@themisdb/sharding';
import type { Wal } from '@themisdb/wal';
import { PageCache } from './cache/page-cache.ts';
import { SchemaChanges } from './catalog/schema-changes.ts';
import { ChangeLog, lastChange } from './changes/change-log.ts';
import { defaultRetention, type Retention, type StoreContext } from './context.ts';
import type { CollectionInfo, IndexInfo } from './contract/catalog.ts';
import type { CollectionRules, RulesFactory, Store } from './contract/store.ts';
import { EntryEncoder } from './index/entries.ts';
import { KeySpace, space } from './keys.ts';
import { defaultLimits, type StoreLimits } from './limits.ts';
import { Checkpointer } from './log/checkpoint.ts';
import { CommitPipeline } from './log/pipeline.ts';
import { recover, type Recovered } from './log/recovery.ts';
import { ShardStore } from './store.ts';
import { HybridClock } from './timestamp.ts';
import { BodyArena } from './transaction/document.ts';
import { PresenceBook } from './transaction/key-filter.ts';
import { KeyMaker } from './transaction/key-maker.ts';
import { RecentWrites } from './transaction/recent-writes.ts';
import { View, Views } from './transaction/views.ts';

export interface OpenStoreOptions {
  readonly env: Env;
  /** Opened by the caller and closed by him, after the store. */
  readonly engine: KvEngine;
  /** Likewise. */
  readonly wal: Wal;
  /** u32; first part of every key, and the group in the log. Default 1. */
  readonly shard?: number | undefined;
  readonly rules?: RulesFactory | undefined;
  readonly limits?: Partial<StoreLimits> | undefined;
  readonly retention?: Partial<Retention> | undefined;
  /** Bytes logged between automatic checkpoints. Default 64 MiB. */
  readonly checkpointBytes?: number | undefined;
  /** Memory for records that scans have read. Default 512 MiB; 0 for none. */
  readonly pageCacheBytes?: number | undefined;
  /** Time between automatic checkpoints, if anything was logged. Default ten minutes. */
  readonly checkpointMs?: number | undefined;
}

/**
 * Opens the data of one shard: checks the format, replays the log from the applied index, cleans up
 * what a crash interrupted. FORMAT_UNKNOWN, LOG_CORRUPT, DATA_CORRUPT and errors of engine and log.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { env, engine, wal, shard = 1 } = options;
  const keys = new KeySpace(shard);
  const tokenOf = await loadTokenHash();
  const recovered = await recover(engine, wal, keys, shard);
  if (recovered.replayed > 0)
    env.log.write('info', 'replayed the log', { shard, records: recovered.replayed });
  const context = makeContext(options, { keys, tokenOf, recovered });
  const schema = new SchemaChanges(context, recovered.ids);
  const every = {
    everyBytes: options.checkpointBytes ?? 64 * 1024 * 1024,
    everyMs: options.checkpointMs ?? 10 * 60 * 1000,
  };
  const checkpointer = new Checkpointer(
    context,
    { wal, group: shard, ...every },
    recovered.retained,
  );
  const changes = new ChangeLog(context, checkpointer, await lastChange(engine, keys));
  context.pipeline.onApplied = (last) => {
    if (last !== undefined) changes.noteApplied(last);
    checkpointer.runWhenDue();
  };
  await removeUnfinishedIndexes(context, schema);
  return new ShardStore(context, { schema, changes, checkpointer });
}

function makeContext(
  options: OpenStoreOptions,
  parts: {
    readonly keys: KeySpace;
    readonly tokenOf: StoreContext['tokenOf'];
    readonly recovered: Recovered;
  },
): StoreContext {
  const { env, engine, wal, shard = 1 } = options;
  const { keys, tokenOf, recovered } = parts;
  const { applied, catalog, counters } = recovered;
  const clock = new HybridClock(env.clock);
  clock.observe(applied.timestamp);
  const { index, timestamp } = applied;
  const views = new Views(new View(engine, { index, timestamp, catalog }));
  const recent = new RecentWrites();
  const limits = { ...defaultLimits, ...options.limits };
  const shared = { env, engine, wal, keys, clock, recent, views };
  const encoders = new WeakMap<IndexInfo, EntryEncoder>();
  return {
    ...shared,
    limits,
    arena: new BodyArena(limits),
    retention: { ...defaultRetention, ...options.retention },
    tokenOf,
    counters,
    statistics: recovered.statistics,
    keyMaker: new KeyMaker(env.random),
    presence: presenceOf(recovered),
    pages: new PageCache(options.pageCacheBytes ?? 512 * 1024 * 1024),
    pipeline: new CommitPipeline({ ...shared, group: shard, term: 1 }),
    conflicts: 0,
    encoderOf: (of) => {
      let encoder = encoders.get(of);
      if (encoder === undefined) encoders.set(of, (encoder = new EntryEncoder(shard, of)));
      return encoder;
    },
    rulesOf: cachedRules(options.rules, views),
  };
}

function presenceOf({ catalog, counters }: Recovered): PresenceBook {
  const presence = new PresenceBook();
  for (const { id, indexes } of catalog.all()) {
    if (counters.get(id) > 0) continue;
    presence.start(space.record, id);
    for (const index of indexes) if (index.unique) presence.start(space.index, index.id);
  }
  return presence;
}

/** Rules are made once per collection and catalog version. */
function cachedRules(
  factory: RulesFactory | undefined,
  views: Views,
): (collection: CollectionInfo) => CollectionRules | undefined {
  if (factory === undefined) return () => undefined;
  let version = -1;
  let made = new Map<number, CollectionRules | undefined>();
  return (collection) => {
    const { catalog } = views.current;
    if (catalog.version !== version) {
      version = catalog.version;
      made = new Map();
    }
    if (!made.has(collection.id)) made.set(collection.id, factory(collection, catalog));
    return made.get(collection.id);
  };
}

/** A crash during the build of an index: nobody was told that it exists, so it goes. */
async function removeUnfinishedIndexes(
  context: StoreContext,
  schema: SchemaChanges,
): Promise<void> {
  for (const collection of context.views.current.catalog.all()) {
    for (const index of collection.indexes) {
      if (index.state === 'ready') continue;
      context.env.log.write('warn', 'removing an index whose build was interrupted', {
        collection: collection.name,
        index: index.name,
      });
      await schema.dropIndex(index).catch((error: unknown) => {
        // It stays unfinished and unused; asking for it again builds it.
        if (!hasCode(error, 'DISK_FULL')) throw error;
      });
    }
  }
}
