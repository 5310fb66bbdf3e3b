import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hasCode, type Env, type InvariantError, type Network } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { ReplicaStatus } from '@themisdb/replication';
import { Cluster } from './cluster/cluster.ts';
import { endWhenReplicaFails, exitForFailedReplica } from './cluster/failed-replica.ts';
import { nodeStatus } from './cluster/topology.ts';
import { checkCluster } from './config/cluster.ts';
import type { ServerConfig } from './config/server-config.ts';
import { makeDatabase, type DatabaseParts } from './database/database.ts';
import { envOf, openParts, type OpenOptions, type OpenPartsOptions } from './database/open.ts';
import type { Database } from './database/types.ts';
import { exitForDefect } from './defect-exit.ts';
import { makeJsonLog, nodeNetwork } from './env/index.ts';
import { brokenInvariant } from './http/broken-invariant.ts';
import type { Carrier } from './http/carrier.ts';
import { Cursors } from './http/cursors.ts';
import { HostGuard } from './http/host-guard.ts';
import { Idempotency } from './http/idempotency.ts';
import { stoppedMeanwhile } from './http/late-commit.ts';
import { Listener } from './http/listener.ts';
import { ServerMetrics } from './http/metrics.ts';
import { openApiOf } from './http/openapi.ts';
import { routes } from './http/routes/index.ts';
import type { Services } from './http/services.ts';
import { Transactions } from './http/transactions.ts';
import { Turns } from './http/turns.ts';
import { version } from './version.ts';

export interface StartOptions extends Pick<OpenOptions, 'env' | 'log' | 'rules'> {
  /**
   * Called once a broken invariant was logged and its request answered. Default: ends the process
   * with exit code 70. It must not go on serving.
   */
  readonly onBrokenInvariant?: ((error: InvariantError) => void) | undefined;
  /**
   * Called once the replica of a node with peers has stopped for good. Default: ends the process with
   * exit code 74; started again, it recovers, or fetches what was damaged from a peer.
   */
  readonly onReplicaFailed?: ((status: ReplicaStatus) => void) | undefined;
  /** Between the nodes of a cluster. Default: TCP. */
  readonly network?: Network | undefined;
}

/** All of a server but its HTTP port: data, cluster, and what requests are answered with. */
export class DatabaseNode {
  readonly database: Database;
  readonly #parts: DatabaseParts;
  readonly #cluster: Cluster | undefined;
  readonly #services: Services;
  readonly #listener: Listener;
  readonly #stopping = new AbortController();
  readonly #stopNow = new AbortController();

  private constructor(
    config: ServerConfig,
    parts: DatabaseParts,
    cluster: Cluster | undefined,
    onBrokenInvariant: (error: InvariantError) => void,
  ) {
    this.#parts = parts;
    this.#cluster = cluster;
    // Each request under way may listen.
    setMaxListeners(0, this.#stopping.signal, this.#stopNow.signal);
    this.#services = makeServices(config, parts, cluster, {
      stopping: this.#stopping.signal,
      stopNow: this.#stopNow.signal,
      onBrokenInvariant,
    });
    this.#listener = new Listener({
      services: this.#services,
      routes,
      guard: new HostGuard(config.hosts),
      idPrefix: `${randomBytes(5).toString('base64url')}-`,
    });
    this.database = makeDatabase(parts, 'default');
  }

  /** Errors of `open`, and CONFIG_INVALID when the port for other nodes is taken. */
  static async open(config: ServerConfig, options: StartOptions): Promise<DatabaseNode> {
    const {
      onBrokenInvariant = exitForDefect,
      onReplicaFailed = exitForFailedReplica,
      network = nodeNetwork,
      ...given
    } = options;
    const log = given.log ?? makeJsonLog({ level: config.logLevel });
    const opening = { log, ...given, engine: config.engine };
    const env = envOf(config.data, opening);
    const onDefect = (error: unknown): void => {
      const broken = brokenInvariant(error);
      if (broken !== undefined) onBrokenInvariant(broken);
    };
    const cluster =
      config.cluster.node === 0
        ? undefined
        : await Cluster.listen({ config, env, network, run: shortId(), onDefect });
    try {
      const parts = await openParts(config.data, {
        ...opening,
        env,
        cacheBytes: config.cacheBytes,
        queryLimits: config.query,
        member: cluster && memberOf(cluster, config),
      });
      if (cluster !== undefined) endWhenReplicaFails(parts.replica, env, onReplicaFailed);
      return new DatabaseNode(config, parts, cluster, onBrokenInvariant);
    } catch (error) {
      await cluster?.close();
      throw error;
    }
  }

  get env(): Env {
    return this.#parts.env;
  }

  /** Never rejects. */
  handle(carrier: Carrier): Promise<void> {
    return this.#listener.handle(carrier);
  }

  /** From now on other nodes may forward requests; clients reach this one at `url`. */
  serveAt(url: string): void {
    if (this.#cluster === undefined) return;
    const { replica, store } = this.#parts;
    const status = (): unknown => nodeStatus(replica, store);
    this.#cluster.serve({ replica, handle: (carrier) => this.handle(carrier), status }, url);
    replica.onRoleChange(({ role }) => {
      if (role !== 'leader') this.#services.transactions.loseWriting();
    });
  }

  reload({ cluster }: ServerConfig): void {
    checkCluster(cluster);
    this.#cluster?.setPeers(cluster.peers);
  }

  /** Hands leadership over, and takes no new requests from then on. */
  async drain(): Promise<void> {
    await this.#cluster?.drain();
    this.#stopping.abort(themisError('SHUTTING_DOWN', { message: 'the server is stopping' }));
  }

  /** Requests that are still under way end. */
  cutShort(): void {
    const message = 'the server stopped before the end';
    this.#stopNow.abort(themisError('SHUTTING_DOWN', { message }));
    for (const commit of this.#services.commits) commit.giveUp(stoppedMeanwhile());
  }

  /** Once no client is left: finishes the requests of other nodes, writes the state out, closes. */
  async close(): Promise<void> {
    await this.#listener.idle();
    this.#services.transactions.rollbackAll();
    await this.#services.cursors.closeAll();
    if (!(await this.#inTime(this.#writeOut(), writeOutMsMax))) {
      this.#logNotWritten(`it takes longer than ${writeOutMsMax / 1000} s`);
    }
    const timeoutMs = this.#closeMsMax;
    const hasClosed = await this.#inTime(this.database.close(), timeoutMs);
    await this.#cluster?.close();
    if (!hasClosed) throw notClosed(timeoutMs);
  }

  async #writeOut(): Promise<void> {
    await this.database.checkpoint().catch((error: unknown) => {
      // The log has what was acknowledged; the next start goes on from there.
      if (!hasCode(error, 'STORE_FAILED', 'DISK_FULL')) throw error;
      this.#logNotWritten(error.message);
    });
  }

  #logNotWritten(reason: string): void {
    const message = 'the state could not be written out; the log has it';
    this.env.log.write('warn', message, { reason });
  }

  /** A node that leads again hands leadership over first. */
  get #closeMsMax(): number {
    return this.#cluster === undefined
      ? storeCloseMsMax
      : storeCloseMsMax + transferElections * this.#services.config.cluster.electionMs;
  }

  /** Whether it ended in time: what is in the log waits for as long as a full disk does not take it. */
  #inTime(work: Promise<void>, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const timer = this.env.timers.after(timeoutMs, () => resolve(false));
      work.then(() => resolve(true), reject).finally(() => timer.cancel());
    });
  }
}

/** There may be much to write; but what waits for a disk that stands still may wait for ever. */
const writeOutMsMax = 60_000;
const storeCloseMsMax = 10_000;
/** As long as a replica waits for another to lead. */
const transferElections = 2;

function notClosed(timeoutMs: number): Error {
  return themisError('STORE_FAILED', {
    message: `the store did not come to its end within ${timeoutMs / 1000} s, as on a full disk; the log has what was acknowledged, and the next start goes on from there`,
  });
}

function memberOf(cluster: Cluster, { cluster: config }: ServerConfig): OpenPartsOptions['member'] {
  const { nodeId, firstMembers: members, nodeIds, transport } = cluster;
  const peers = nodeIds.filter((id) => id !== nodeId);
  const { tickMs, heartbeatMs, electionMs, leaseMs, snapshotBytesPerSecond } = config;
  return {
    nodeId,
    members,
    peers,
    transport,
    snapshotBytesPerSecond,
    timing: { tickMs, heartbeatMs, electionMs, leaseMs },
  };
}

function makeServices(
  config: ServerConfig,
  database: DatabaseParts,
  cluster: Cluster | undefined,
  ends: Pick<Services, 'stopping' | 'stopNow' | 'onBrokenInvariant'>,
): Services {
  const { env, store } = database;
  const { limits } = config;
  const makeId = (): string => {
    const random = randomBytes(12).toString('base64url');
    return cluster === undefined ? random : cluster.ids.make(random);
  };
  const cursors = new Cursors({
    env,
    openMax: limits.cursorsMax,
    idleMs: limits.cursorIdleMs,
    makeId,
    onFailure: (error) => failedInBackground(env, error, ends.onBrokenInvariant),
  });
  const transactions = new Transactions({
    env,
    store,
    openMax: limits.transactionsMax,
    idleMs: limits.transactionIdleMs,
    lifeMs: limits.transactionLifeMs,
    makeId,
  });
  const metrics = new ServerMetrics();
  metrics.watch({ database, cluster, cursors, transactions, startedMs: env.clock.nowMs() });
  let document: string | undefined;
  return {
    config,
    env,
    jsonLimits: { depthMax: limits.depthMax, attributesMax: limits.attributesMax },
    database,
    cluster,
    cursors,
    transactions,
    idempotency: new Idempotency(store),
    turns: new Turns(),
    commits: new Set(),
    metrics,
    ...ends,
    openApi: () => (document ??= JSON.stringify(openApiOf(routes, version))),
  };
}

function failedInBackground(
  env: Env,
  error: unknown,
  onBrokenInvariant: (error: InvariantError) => void,
): void {
  env.log.write('error', 'a cursor could not be closed', {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  const broken = brokenInvariant(error);
  if (broken !== undefined) onBrokenInvariant(broken);
}

function shortId(): string {
  return randomBytes(3).toString('base64url');
}
