import type { Env } from '@themisdb/base';
import type { KvEngine } from '@themisdb/kv';
import { loadTokenHash } from '@themisdb/sharding';
import type { Wal } from '@themisdb/wal';
import { PageCache } from './cache/page-cache.ts';
import { SchemaChanges } from './catalog/schema-changes.ts';
import { ChangeLog, lastChange } from './changes/change-log.ts';
import { defaultRetention, type Retention, type StoreContext } from './context.ts';
import type { CollectionInfo, IndexInfo } from './contract/catalog.ts';
import type { StateMachine } from './contract/command-log.ts';
import type { CollectionRules, RulesFactory, Store } from './contract/store.ts';
import { EntryEncoder } from './index/entries.ts';
import { KeySpace, space } from './keys.ts';
import { defaultLimits, type StoreLimits } from './limits.ts';
import { Checkpointer } from './log/checkpoint.ts';
import { LocalLog } from './log/local-log.ts';
import { CommitPipeline } from './log/pipeline.ts';
import { recover, type Recovered } from './log/recovery.ts';
import { ShardMachine } from './machine.ts';
import { ShardStore } from './store.ts';
import { HybridClock } from './timestamp.ts';
import { BodyArena } from './transaction/document.ts';
import { PresenceBook } from './transaction/key-filter.ts';
import { KeyMaker } from './transaction/key-maker.ts';
import { RecentWrites } from './transaction/recent-writes.ts';
import { View, Views } from './transaction/views.ts';

export interface OpenMachineOptions {
  readonly env: Env;
  /** Opened by the caller and closed by him, after the store. */
  readonly engine: KvEngine;
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
  /**
   * A command of more bytes goes into the log as parts, each an entry of its own. Default 32 MiB; the
   * replicas of a group need not agree.
   */
  readonly partBytesMax?: number | undefined;
}

export interface OpenStoreOptions extends OpenMachineOptions {
  /** Opened by the caller and closed by him, after the store. */
  readonly wal: Wal;
}

/**
 * Opens the data of one shard on a log of its own, without replicas: checks the format, replays the log
 * from the applied index, cleans up what a crash interrupted. FORMAT_UNKNOWN, LOG_CORRUPT, DATA_CORRUPT
 * and errors of engine and log.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { env, wal, shard = 1 } = options;
  const { store, machine } = await openMachine(options);
  await LocalLog.start(env, wal, shard, machine);
  return store;
}

/**
 * Opens the data of one shard as far as the engine holds it. The store takes commits once a log is
 * attached to the machine and has told it to lead. FORMAT_UNKNOWN, DATA_CORRUPT.
 */
export async function openMachine(
  options: OpenMachineOptions,
): Promise<{ readonly store: Store; readonly machine: StateMachine }> {
  const { engine, shard = 1 } = options;
  const keys = new KeySpace(shard);
  const tokenOf = await loadTokenHash();
  const recovered = await recover(engine, keys);
  const context = makeContext(options, { keys, tokenOf, recovered });
  const { memory } = context;
  const schema = new SchemaChanges(context, recovered.ids);
  const every = {
    everyBytes: options.checkpointBytes ?? 64 * 1024 * 1024,
    everyMs: options.checkpointMs ?? 10 * 60 * 1000,
  };
  const checkpointer = new Checkpointer(context, every, recovered.retained);
  memory.setIds = (ids) => schema.setIds(ids);
  memory.setRetained = (retained) => checkpointer.setRetained(retained);
  const changes = new ChangeLog(context, checkpointer, await lastChange(engine, keys));
  context.pipeline.onApplied = (last) => {
    if (last !== undefined) changes.noteApplied(last);
    checkpointer.runWhenDue();
  };
  const parts = { schema, changes, checkpointer };
  return { store: new ShardStore(context, parts), machine: new ShardMachine(context, parts) };
}

function makeContext(
  options: OpenMachineOptions,
  parts: {
    readonly keys: KeySpace;
    readonly tokenOf: StoreContext['tokenOf'];
    readonly recovered: Recovered;
  },
): StoreContext {
  const { env, engine, shard = 1 } = options;
  const { keys, tokenOf, recovered } = parts;
  const { applied, catalog, counters, membership } = recovered;
  const clock = new HybridClock(env.clock);
  clock.observe(applied.timestamp);
  const { index, timestamp } = applied;
  const views = new Views(new View(engine, { index, timestamp, catalog }));
  const limits = { ...defaultLimits, ...options.limits };
  const encoders = new WeakMap<IndexInfo, EntryEncoder>();
  // The pipeline works on the context it is part of.
  const context: Omit<StoreContext, 'pipeline'> & { pipeline?: CommitPipeline } = {
    env,
    engine,
    keys,
    clock,
    views,
    recent: new RecentWrites(),
    limits,
    arena: new BodyArena(limits),
    retention: { ...defaultRetention, ...options.retention },
    tokenOf,
    counters,
    statistics: recovered.statistics,
    keyMaker: new KeyMaker(env.random),
    presence: presenceOf(recovered),
    pages: new PageCache(options.pageCacheBytes ?? 512 * 1024 * 1024),
    memory: { setIds() {}, setRetained() {} },
    conflicts: 0,
    encoderOf: (of) => {
      let encoder = encoders.get(of);
      if (encoder === undefined) encoders.set(of, (encoder = new EntryEncoder(shard, of)));
      return encoder;
    },
    rulesOf: cachedRules(options.rules, views),
  };
  const whole = context as StoreContext;
  context.pipeline = new CommitPipeline(whole, { applied, membership }, options.partBytesMax);
  return whole;
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
