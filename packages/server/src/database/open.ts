import { tmpdir, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { Env, Log } from '@themisdb/base';
import { defaultNamespace } from '@themisdb/protocol';
import { makeMemoryEngine, type KvEngine } from '@themisdb/kv';
import { openRocksDB } from '@themisdb/kv-rocksdb';
import { checkCollectionSpec, collectionRules } from '@themisdb/models';
import { makeQueryEngine, type QueryLimits } from '@themisdb/query';
import { openReplica, type OpenReplicaOptions, type Replica } from '@themisdb/replication';
import type { RulesFactory } from '@themisdb/storage';
import { openWal, type Wal } from '@themisdb/wal';
import { makeNodeEnv } from '../env/index.ts';
import { openNew, openOrRebuild, openWhole } from './damaged-state.ts';
import { makeDatabase, type DatabaseParts } from './database.ts';
import { makeMemoryWal } from './memory-wal.ts';
import type { Database } from './types.ts';

export interface OpenOptions {
  /** The namespace names are looked up in. Default `default`. */
  readonly namespace?: string | undefined;
  /** `memory` keeps nothing: no file is written, and all is gone at the end. Default `rocksdb`. */
  readonly engine?: 'rocksdb' | 'memory' | undefined;
  /** Memory for the read cache over RocksDB. 0, the default: an eighth of the machine, at most 1 GiB. */
  readonly cacheBytes?: number | undefined;
  readonly log?: Log | undefined;
  /** Another world than the real one: simulated clock and disk. Then `path` only names the folder. */
  readonly env?: Env | undefined;
  readonly rules?: RulesFactory | undefined;
  readonly queryLimits?: Partial<QueryLimits> | undefined;
}

export interface OpenPartsOptions extends OpenOptions {
  /** As one of several; without it a group of one. */
  readonly member?: MemberOptions | undefined;
}

export interface MemberOptions extends Pick<
  OpenReplicaOptions,
  'members' | 'transport' | 'timing' | 'snapshotBytesPerSecond'
> {
  readonly nodeId: number;
  /** The other nodes there are, whether members or not: a damaged state is fetched from one of them. */
  readonly peers: readonly number[];
}

/**
 * Opens the database in the folder `path`, or makes one. DATA_LOCKED when another process has it open;
 * LOG_CORRUPT, DATA_CORRUPT, FORMAT_UNKNOWN when what is there cannot be trusted.
 */
export async function open(path: string, options: OpenOptions = {}): Promise<Database> {
  const parts = await openParts(path, options);
  return makeDatabase(parts, options.namespace ?? defaultNamespace);
}

/**
 * The composition root of a node's data: engine in `state/`, log in `log/`. The engine is opened
 * first: its lock on the folder is what keeps a second process away from the log as well.
 */
export async function openParts(path: string, options: OpenPartsOptions): Promise<DatabaseParts> {
  const isMemory = options.engine === 'memory';
  const env = envOf(path, options);
  const openEngine = async (): Promise<KvEngine> =>
    isMemory ? makeMemoryEngine() : openRocks(env, options.cacheBytes ?? 0);
  const openOn = (engine: KvEngine, rebuild: boolean): Promise<OnEngine> =>
    openReplicaOn(env, engine, { ...options, rebuild });
  // Not by `members`: a node that joined has none in its configuration.
  const hasPeers = (options.member?.peers.length ?? 0) > 0;
  const openAll = isMemory ? openNew : hasPeers ? openOrRebuild : openWhole;
  const { engine, parts } = await openAll(env, openEngine, openOn);
  const { wal, replica } = parts;
  const { store } = replica;
  const queries = makeQueryEngine({ store, env, limits: options.queryLimits });
  return {
    env,
    store,
    replica,
    queries,
    checkSpec: (namespace, spec) => checkCollectionSpec(namespace, spec, store.catalog()),
    stats: { engine: () => engine.stats(), wal: () => wal.stats() },
    close: async () => {
      for (const part of [replica, wal, engine]) await part.close();
    },
  };
}

interface OnEngine {
  readonly wal: Wal;
  readonly replica: Replica;
}

async function openReplicaOn(
  env: Env,
  engine: KvEngine,
  options: OpenPartsOptions & { readonly rebuild: boolean },
): Promise<OnEngine> {
  const isMemory = options.engine === 'memory';
  const wal = isMemory ? makeMemoryWal() : await openWal(env, { directory: 'log' });
  const { rules = collectionRules, rebuild } = options;
  const member = rebuild ? withSources(options.member) : options.member;
  try {
    return { wal, replica: await openReplica({ env, engine, wal, rules, rebuild, ...member }) };
  } catch (error) {
    await wal.close();
    throw error;
  }
}

/** The replica fetches its state from those it takes for the first members; it brings the real ones. */
function withSources(member: MemberOptions | undefined): MemberOptions | undefined {
  return member && { ...member, members: [member.nodeId, ...member.peers] };
}

/** The world a database in that folder lives in. */
export function envOf(path: string, { engine, env, log }: OpenOptions): Env {
  if (env !== undefined) return env;
  const dataRoot = resolve(engine === 'memory' ? tmpdir() : path);
  return makeNodeEnv(log === undefined ? { dataRoot } : { dataRoot, log });
}

function openRocks(env: Env, cacheBytes: number): Promise<KvEngine> {
  return openRocksDB({
    path: env.disk.nativePath('state'),
    cacheBytes: cacheBytes > 0 ? cacheBytes : Math.min(2 ** 30, Math.floor(totalmem() / 8)),
  });
}
