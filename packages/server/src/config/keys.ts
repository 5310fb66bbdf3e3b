import { defaultTiming } from '@themisdb/replication';
import type {
  ClusterConfig,
  ServerConfig,
  ServerLimits,
  ServerQueryLimits,
  StoreConfig,
} from './server-config.ts';

/** One setting: its name in a configuration file; flags and variables follow from it. */
export interface ConfigKey {
  readonly type:
    'text' | 'texts' | 'integer' | 'bytes' | 'duration' | 'choice' | 'switch' | 'peers';
  readonly default: string | number | boolean | readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  readonly summary: string;
}

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/**
 * Every setting there is. `limits.bodyBytesMax` is the flag `--limits-body-bytes-max` and the
 * variable `THEMIS_LIMITS_BODY_BYTES_MAX`. Bytes take KiB, MiB, GiB; durations take ms, s, m, h.
 */
export const configKeys: Readonly<Record<ConfigName, ConfigKey>> = {
  host: { type: 'text', default: '127.0.0.1', summary: 'Address to listen on.' },
  port: {
    type: 'integer',
    default: 8080,
    min: 0,
    max: 65_535,
    summary: 'Port to listen on; 0 takes a free one.',
  },
  data: { type: 'text', default: './data', summary: 'Folder that holds all data.' },
  engine: {
    type: 'choice',
    default: 'rocksdb',
    choices: ['rocksdb', 'memory'],
    summary: 'Where data is kept; memory forgets everything at the end.',
  },
  cacheBytes: {
    type: 'bytes',
    default: 0,
    min: 0,
    max: 64 * GiB,
    summary:
      'Memory for the read cache over RocksDB; 0 takes an eighth of the machine, at most 1GiB.',
  },
  hosts: {
    type: 'texts',
    default: [],
    summary: 'Host names this server answers to besides loopback ones.',
  },
  logLevel: {
    type: 'choice',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    summary: 'The least level that is logged.',
  },
  'limits.bodyBytesMax': {
    type: 'bytes',
    default: 16 * MiB,
    min: 1024,
    max: GiB,
    summary: 'Size of a request body; of one line in an import.',
  },
  'limits.depthMax': {
    type: 'integer',
    default: 128,
    min: 1,
    max: 1000,
    summary: 'Nesting of arrays and objects in a body.',
  },
  'limits.attributesMax': {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    summary: 'Attributes of one object in a body.',
  },
  'limits.batchItemsMax': {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    summary: 'Items of one /batch request.',
  },
  'limits.requestTimeoutMs': {
    type: 'duration',
    default: 300_000,
    min: 100,
    max: 86_400_000,
    summary:
      'Longest time a request but an import may ask for, and the time given to those that do not ask.',
  },
  'limits.receiveTimeoutMs': {
    type: 'duration',
    default: 60_000,
    min: 100,
    max: 86_400_000,
    summary: 'Time a client may take to send a request, and to take a piece of an answer.',
  },
  'limits.connectionsMax': {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    summary: 'Open connections.',
  },
  'limits.cursorsMax': {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    summary: 'Open cursors.',
  },
  'limits.cursorIdleMs': {
    type: 'duration',
    default: 60_000,
    min: 100,
    max: 86_400_000,
    summary: 'A cursor nobody reads is closed after this time.',
  },
  'limits.transactionsMax': {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    summary: 'Open transactions.',
  },
  'limits.transactionIdleMs': {
    type: 'duration',
    default: 60_000,
    min: 100,
    max: 86_400_000,
    summary:
      'A transaction nobody uses is rolled back after this time; a request may ask for less.',
  },
  'limits.transactionLifeMs': {
    type: 'duration',
    default: 600_000,
    min: 100,
    max: 86_400_000,
    summary: 'No transaction lives longer.',
  },
  'limits.changefeedWaitMs': {
    type: 'duration',
    default: 60_000,
    min: 0,
    max: 3_600_000,
    summary: 'Longest time a changefeed request waits for a change.',
  },
  'limits.changefeedHeartbeatMs': {
    type: 'duration',
    default: 15_000,
    min: 100,
    max: 3_600_000,
    summary: 'A stream of changes that has nothing to tell says so after this time.',
  },
  'query.memoryBytesMax': {
    type: 'bytes',
    default: GiB,
    min: MiB,
    max: 1024 * GiB,
    summary: 'Memory one query may hold.',
  },
  'query.runtimeMsMax': {
    type: 'duration',
    default: 300_000,
    min: 1,
    max: 86_400_000,
    summary: 'Time one query may run.',
  },
  'query.rowsMax': {
    type: 'integer',
    default: 100_000_000,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    summary: 'Rows one query may deliver.',
  },
  'store.thread': {
    type: 'choice',
    default: 'main',
    choices: ['main', 'worker'],
    summary:
      'Thread of data and queries. `worker` leaves only HTTP to the main thread: sockets go on while a query computes, but each request takes a longer way.',
  },
  'cluster.node': {
    type: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    summary:
      'Number of this node in its cluster, from 1. Never changed, and never given again. 0: it is alone.',
  },
  'cluster.id': {
    type: 'text',
    default: 'themis',
    summary: 'Name of the cluster; nodes of another are refused.',
  },
  'cluster.listen': {
    type: 'text',
    default: '',
    summary: 'Address `host:port` at which the other nodes reach this one.',
  },
  'cluster.peers': {
    type: 'peers',
    default: [],
    summary:
      'The nodes of the cluster, this one among them or not: a list of `id`, `address` (their `cluster.listen`) and `url` (their HTTP address). In a flag or variable `2=127.0.0.1:7002=http://127.0.0.1:8002`, separated by commas.',
  },
  'cluster.join': {
    type: 'switch',
    default: false,
    summary:
      'This node is new to a cluster that runs, and waits to be added. Without it a new node is one of the first members, and so are all its peers.',
  },
  'cluster.tickMs': {
    type: 'duration',
    default: defaultTiming.tickMs,
    min: 1,
    max: 10_000,
    summary: 'Grain of the other times of the cluster.',
  },
  'cluster.heartbeatMs': {
    type: 'duration',
    default: defaultTiming.heartbeatMs,
    min: 1,
    max: 60_000,
    summary: 'Time between signs of life of a leader.',
  },
  'cluster.electionMs': {
    type: 'duration',
    default: defaultTiming.electionMs,
    min: 10,
    max: 600_000,
    summary: 'Without a leader for so long, and up to twice that, a node asks to be elected.',
  },
  'cluster.leaseMs': {
    type: 'duration',
    default: defaultTiming.leaseMs,
    min: 0,
    max: 600_000,
    summary:
      'How long a leader that heard from a majority reads without asking again; 0: it always asks. Trusts that clocks of the nodes run at about one speed.',
  },
  'cluster.leaderWaitMs': {
    type: 'duration',
    default: 5000,
    min: 0,
    max: 600_000,
    summary: 'Longest time a request waits for a leader to be elected.',
  },
  'cluster.snapshotBytesPerSecond': {
    type: 'bytes',
    default: 100_000_000,
    min: 64 * 1024,
    max: 64 * GiB,
    summary:
      'How fast a node gives the whole state to one that is too far behind for the log, so that clients do not feel it.',
  },
};

export type ConfigName =
  | Exclude<keyof ServerConfig, 'limits' | 'query' | 'cluster' | 'store'>
  | `limits.${keyof ServerLimits}`
  | `query.${keyof ServerQueryLimits}`
  | `cluster.${keyof ClusterConfig}`
  | `store.${keyof StoreConfig}`;

export const configNames: readonly ConfigName[] = Object.keys(configKeys) as ConfigName[];

/** `limits.bodyBytesMax` → `limits-body-bytes-max`. */
export function flagOf(name: ConfigName): string {
  return name.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `limits.bodyBytesMax` → `THEMIS_LIMITS_BODY_BYTES_MAX`. */
export function variableOf(name: ConfigName): string {
  return `THEMIS_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;
}
