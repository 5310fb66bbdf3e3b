import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { hasCode, type Env, type InvariantError, type Network } from '@themisdb/base';
import { Cluster } from './cluster/cluster.ts';
import { nodeStatus } from './cluster/topology.ts';
import { checkCluster } from './config/cluster.ts';
import { mustBeLoopback } from './config/loopback.ts';
import type { ServerConfig } from './config/server-config.ts';
import { themisError } from '@themisdb/protocol';
import type { ReplicaStatus } from '@themisdb/replication';
import { makeDatabase, type DatabaseParts } from './database/database.ts';
import { envOf, openParts, type OpenOptions, type OpenPartsOptions } from './database/open.ts';
import type { Database } from './database/types.ts';
import { exitForDefect } from './defect-exit.ts';
import { makeJsonLog, nodeNetwork } from './env/index.ts';
import { brokenInvariant } from './http/broken-invariant.ts';
import { Cursors } from './http/cursors.ts';
import { endWhenReplicaFails, exitForFailedReplica } from './cluster/failed-replica.ts';
import { isReceiving } from './http/body.ts';
import { HttpCarrier } from './http/carrier.ts';
import { HostGuard } from './http/host-guard.ts';
import { Idempotency } from './http/idempotency.ts';
import { Listener } from './http/listener.ts';
import { ServerMetrics } from './http/metrics.ts';
import { openApiOf } from './http/openapi.ts';
import { routes } from './http/routes/index.ts';
import type { Services } from './http/services.ts';
import { Transactions } from './http/transactions.ts';
import { Turns } from './http/turns.ts';
import { version } from './version.ts';

export interface RunningServer {
  /** `http://host:port`, as a client on this machine reaches it. */
  readonly url: string;
  readonly port: number;
  /** The same database, for the process that runs the server. */
  readonly database: Database;
  /** Takes over what can change while it runs: `cluster.peers`. CONFIG_INVALID, and nothing changes. */
  reload(config: ServerConfig): void;
  /** Not ready, hand leadership over, finish what is under way, write the state out, close. */
  stop(options?: StopOptions): Promise<void>;
}

export interface StopOptions {
  /** Requests that take longer are cut off. Default 30,000. */
  readonly graceMs?: number | undefined;
}

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

const headersTimeoutMs = 20_000;
const keepAliveTimeoutMs = 65_000;

/** Opens the data and listens. Errors of `open`, and CONFIG_INVALID when a port is taken. */
export async function startServer(
  config: ServerConfig,
  options: StartOptions = {},
): Promise<RunningServer> {
  // Again here: whoever builds a configuration by hand must not open the door either.
  mustBeLoopback('host', config.host);
  checkCluster(config.cluster);
  const {
    onBrokenInvariant = exitForDefect,
    onReplicaFailed = exitForFailedReplica,
    network = nodeNetwork,
    ...given
  } = options;
  const log = given.log ?? makeJsonLog({ level: config.logLevel });
  const opening = { log, ...given, engine: config.engine };
  const env = envOf(config.data, opening);
  const cluster =
    config.cluster.node === 0
      ? undefined
      : await Cluster.listen({ config, env, network, run: shortId(), onDefect: endFor });
  function endFor(error: unknown): void {
    const broken = brokenInvariant(error);
    if (broken !== undefined) onBrokenInvariant(broken);
  }
  try {
    const parts = await openParts(config.data, {
      ...opening,
      env,
      cacheBytes: config.cacheBytes,
      queryLimits: config.query,
      member: cluster && memberOf(cluster, config),
    });
    if (cluster !== undefined) endWhenReplicaFails(parts.replica, env, onReplicaFailed);
    return await listenOrClose(config, parts, cluster, onBrokenInvariant);
  } catch (error) {
    await cluster?.close();
    throw error;
  }
}

function memberOf(cluster: Cluster, { cluster: timing }: ServerConfig): OpenPartsOptions['member'] {
  const { nodeId, firstMembers: members, transport } = cluster;
  const { tickMs, heartbeatMs, electionMs, leaseMs } = timing;
  return { nodeId, members, transport, timing: { tickMs, heartbeatMs, electionMs, leaseMs } };
}

async function listenOrClose(
  config: ServerConfig,
  parts: DatabaseParts,
  cluster: Cluster | undefined,
  onBrokenInvariant: (error: InvariantError) => void,
): Promise<RunningServer> {
  try {
    return await listen(config, parts, cluster, onBrokenInvariant);
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function listen(
  config: ServerConfig,
  parts: DatabaseParts,
  cluster: Cluster | undefined,
  onBrokenInvariant: (error: InvariantError) => void,
): Promise<RunningServer> {
  const stopping = new AbortController();
  const stopNow = new AbortController();
  const services = makeServices(config, parts, cluster, {
    stopping: stopping.signal,
    stopNow: stopNow.signal,
    onBrokenInvariant,
  });
  const listener = new Listener({
    services,
    routes,
    guard: new HostGuard(config.hosts),
    idPrefix: `${randomBytes(5).toString('base64url')}-`,
  });
  const server = createServer({
    headersTimeout: headersTimeoutMs,
    // Bodies have their own clock (`body.ts`): an import may take hours.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: 5000,
  });
  const handle = (request: IncomingMessage, response: ServerResponse): void =>
    void listener.handle(new HttpCarrier(request, response));
  // Who asks before sending a body hears "continue" when a route begins to read it.
  server.on('request', handle).on('checkContinue', handle);
  server.maxConnections = config.limits.connectionsMax;
  dropStalled(server, config.limits.receiveTimeoutMs);
  await bind(server, config);
  const { port } = server.address() as AddressInfo;
  const database = makeDatabase(parts, 'default');
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `http://${host}:${port}`;
  if (cluster !== undefined) joinCluster(cluster, services, listener, url);
  return {
    url,
    port,
    database,
    reload(next) {
      checkCluster(next.cluster);
      cluster?.setPeers(next.cluster.peers);
    },
    stop: once(async ({ graceMs = 30_000 }: StopOptions = {}) => {
      await cluster?.drain();
      stopping.abort(themisError('SHUTTING_DOWN', { message: 'the server is stopping' }));
      await finishRequests(server, parts.env, graceMs, stopNow);
      await listener.idle();
      services.transactions.rollbackAll();
      await services.cursors.closeAll();
      await database.checkpoint().catch((error: unknown) => {
        // A store that has stopped writes nothing more; its log has what was acknowledged.
        if (!hasCode(error, 'STORE_FAILED')) throw error;
      });
      await database.close();
      await cluster?.close();
    }),
  };
}

function joinCluster(
  cluster: Cluster,
  { database: { replica, store }, transactions }: Services,
  listener: Listener,
  url: string,
): void {
  cluster.serve(
    {
      replica,
      handle: (carrier) => listener.handle(carrier),
      status: () => nodeStatus(replica, store),
    },
    url,
  );
  replica.onRoleChange(({ role }) => {
    if (role !== 'leader') transactions.loseWriting();
  });
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

function bind(server: Server, config: ServerConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken' : (error.code ?? error.message);
      reject(
        themisError('CONFIG_INVALID', {
          message: `cannot listen on ${config.host} port ${config.port}: ${why}`,
          cause: error,
        }),
      );
    });
    server.listen(config.port, config.host, () => resolve());
  });
}

/**
 * A socket without traffic for this long is closed when it is the client who keeps us waiting: a
 * request that does not come to its end, or an answer that is not taken. Who waits for us may wait.
 */
function dropStalled(server: Server, idleMs: number): void {
  server.setTimeout(idleMs, (socket: Socket) => {
    if (socket.writableLength > 0 || isReceiving(socket)) socket.destroy();
  });
}

async function finishRequests(
  server: Server,
  env: Env,
  graceMs: number,
  stopNow: AbortController,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = env.timers.after(graceMs, () => {
    stopNow.abort(themisError('SHUTTING_DOWN', { message: 'the server stopped before the end' }));
    server.closeAllConnections();
  });
  await closed;
  timer.cancel();
}

function once<A, R>(run: (argument?: A) => Promise<R>): (argument?: A) => Promise<R> {
  let result: Promise<R> | undefined;
  return (argument) => (result ??= run(argument));
}
