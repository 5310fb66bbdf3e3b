import { themisError } from '@themisdb/protocol';
import { RawNode, type ConfState, type RaftConfig } from '@themisdb/raft';
import { openMachine, type OpenMachineOptions } from '@themisdb/storage';
import type { Wal } from '@themisdb/wal';
import type { RaftTransport, Replica } from './contract.ts';
import { isSnapshotWhole, removeSnapshotFiles } from './incoming-snapshot.ts';
import { finishInstall } from './install.ts';
import { decodeConfState } from './message-codec.ts';
import { membersOf } from './members-of.ts';
import { OutgoingSnapshots } from './outgoing-snapshots.ts';
import { fetchState } from './rebuild.ts';
import { ReplicaLog } from './replica-log.ts';
import { RaftReplica } from './replica.ts';
import { chunkBytesDefault } from './snapshot-chunks.ts';
import { defaultTiming, type Timing } from './timing.ts';

export interface OpenReplicaOptions extends OpenMachineOptions {
  /** Opened by the caller and closed by him, after the replica. Shared by all replicas of a node. */
  readonly wal: Wal;
  /** From 1; never used again, not even by the same machine after it lost its disk. Default 1. */
  readonly nodeId?: number | undefined;
  /**
   * The first voters of a new group, the same on each of them. Ignored once the replica has a membership
   * of its own. Empty: this replica waits to be added to a group. Default: itself alone.
   */
  readonly members?: readonly number[] | undefined;
  /** Needed unless the replica stays alone. */
  readonly transport?: RaftTransport | undefined;
  readonly timing?: Partial<Timing> | undefined;
  /** Sent to one peer that needs a snapshot. Default 100 MB/s. */
  readonly snapshotBytesPerSecond?: number | undefined;
  /** Default 1 MiB. */
  readonly snapshotChunkBytes?: number | undefined;
  /**
   * The engine was found damaged, or is new while the log is not: it is empty, and the state is fetched
   * from a peer before anything else.
   */
  readonly rebuild?: boolean | undefined;
  /** Gives up waiting for a peer's state. */
  readonly signal?: AbortSignal | undefined;
  /** Entries kept in memory for peers that are behind; who is further behind gets a snapshot. Default 64 MiB. */
  readonly logCacheBytes?: number | undefined;
  /** Entries of one message to a peer; a single one may be longer. Default 1 MiB. */
  readonly messageBytesMax?: number | undefined;
  /** Entries handed to the store at once; a single one may be longer. Default 32 MiB. */
  readonly applyingBytesMax?: number | undefined;
  /** Proposed here and not applied yet: commits wait while it is more. Default 128 MiB. */
  readonly pendingBytesMax?: number | undefined;
}

const messageBytesDefault: number = 1024 * 1024;
const applyingBytesDefault: number = 32 * 1024 * 1024;
const pendingBytesDefault: number = 128 * 1024 * 1024;
const inflightMessagesMax = 256;
const inflightBytesMax: number = 64 * 1024 * 1024;
const snapshotIdleMs = 60_000;

/**
 * Opens one replica of one shard. A replica alone in its group has applied its whole log, and leads,
 * when this resolves; one with peers serves what it has and takes part in elections from then on.
 *
 * FORMAT_UNKNOWN, LOG_CORRUPT, DATA_CORRUPT, CONFIG_INVALID.
 */
export async function openReplica(options: OpenReplicaOptions): Promise<Replica> {
  const { env, wal, shard = 1, nodeId = 1, transport } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const firstMembers = membersOf(options.members ?? [nodeId]);
  const { store, machine } = await openMachine(options);
  const confState = (): ConfState =>
    machine.membership === undefined ? firstMembers : decodeConfState(machine.membership);
  const outgoing = new OutgoingSnapshots({
    env,
    machine,
    confState: firstMembers,
    bytesPerSecond: options.snapshotBytesPerSecond ?? 100_000_000,
    chunkBytes: options.snapshotChunkBytes ?? chunkBytesDefault,
    idleMs: snapshotIdleMs,
  });
  const applied = (): typeof machine.applied => machine.applied;
  const log = await ReplicaLog.open({
    env,
    wal,
    shard,
    nodeId,
    applied,
    confState,
    isRebuilding: options.rebuild === true,
    snapshot: () => outgoing.snapshot(log.firstIndex()),
  });
  const { installing } = log.state;
  // Once an installation was begun, the state it replaces is of no use any more.
  const isLost = installing !== undefined && !(await isSnapshotWhole(env.disk, installing.file));
  if (isLost || (options.rebuild === true && installing === undefined)) {
    const peers = peersOf(log, firstMembers);
    const signal = options.signal ?? new AbortController().signal;
    await fetchState({ env, log, shard, transport: mustTransport(transport), peers, signal });
  }
  await finishInstall({ env, log, machine, shard, signal: options.signal });
  await removeSnapshotFiles(env.disk, shard);
  const config: RaftConfig = {
    id: nodeId,
    electionTicks: Math.round(timing.electionMs / timing.tickMs),
    heartbeatTicks: Math.round(timing.heartbeatMs / timing.tickMs),
    storage: log,
    random: (bound) => Math.floor(env.random.float() * bound),
    applied: machine.applied.index,
    asyncStorageWrites: true,
    messageBytesMax: options.messageBytesMax ?? messageBytesDefault,
    applyingBytesMax: options.applyingBytesMax ?? applyingBytesDefault,
    inflightMessagesMax,
    inflightBytesMax,
    checkQuorum: true,
    preVote: true,
    disableProposalForwarding: true,
    stepDownOnRemoval: true,
  };
  const replica = new RaftReplica({
    env,
    wal,
    shard,
    nodeId,
    store,
    machine,
    log,
    node: new RawNode(config),
    outgoing,
    transport,
    timing,
    logCacheBytes: options.logCacheBytes ?? 64 * 1024 * 1024,
    pendingBytesMax: options.pendingBytesMax ?? pendingBytesDefault,
    firstMembers,
  });
  await replica.start();
  return replica;
}

/** All that this replica may have shared its group with. */
function peersOf({ state }: ReplicaLog, { voters }: ConfState): readonly number[] {
  const members = state.installing?.confState.voters ?? [];
  const all = new Set([...voters, ...members, ...state.peers.keys()]);
  all.delete(state.nodeId);
  return [...all];
}

function mustTransport(transport: RaftTransport | undefined): RaftTransport {
  if (transport !== undefined) return transport;
  throw themisError('DATA_CORRUPT', { message: 'the only copy of the data is damaged' });
}
