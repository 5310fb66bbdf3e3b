import { hasCode, type Env, type Network } from '@themisdb/base';
import {
  Peers,
  serveChannels,
  type CallContext,
  type ChannelHandlers,
  type ChannelServer,
  type DuplexAnswer,
  type Peer,
} from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import type { ReadOptions, Replica, ReplicaStatus } from '@themisdb/replication';
import type { PeerConfig, ServerConfig } from '../config/server-config.ts';
import type { Carrier } from '../http/carrier.ts';
import { ForwardedCarrier } from './forwarded-carrier.ts';
import { OwnedIds } from './owned-ids.ts';
import { ChannelTransport } from './transport.ts';

export interface ClusterOptions {
  readonly config: ServerConfig;
  readonly env: Env;
  readonly network: Network;
  /** Four characters, new with every start. */
  readonly run: string;
  /** Told of what a handler threw that is no operating error. */
  readonly onDefect: (error: unknown) => void;
}

/** What this node shows others of itself; set once it is there. */
export interface Served {
  readonly replica: Replica;
  handle(carrier: Carrier): Promise<void>;
  /** Answers the operation `status`. */
  status(): unknown;
}

const catchUpTryMs = 5000;

interface Waiter {
  readonly wake: () => void;
  readonly cancel: () => void;
}

/**
 * This node among the others: channels to them, who leads, and what they ask of us. Messages of
 * replicas are taken from the beginning, requests once `serve` was called.
 */
export class Cluster {
  readonly nodeId: number;
  readonly ids: OwnedIds;
  readonly transport: ChannelTransport;
  readonly #options: ClusterOptions;
  readonly #peers: Peers;
  readonly #byId = new Map<number, Peer>();
  readonly #urls = new Map<number, string>();
  readonly #waiters = new Set<Waiter>();
  #server: ChannelServer | undefined;
  #served: Served | undefined;
  #leader: number | undefined;
  #term = 0;
  /** The last one this node has led and applied everything before. */
  #readyTerm: number | undefined;
  #isFailed = false;
  #isDraining = false;
  #hasCaughtUp = false;
  #isClosed = false;
  leaderChanges = 0;

  private constructor(options: ClusterOptions) {
    const { env, network, config, run, onDefect } = options;
    const { node, peers } = config.cluster;
    this.#options = options;
    this.nodeId = node;
    this.ids = new OwnedIds(node, run);
    this.transport = new ChannelTransport({
      log: env.log,
      peerOf: (id) => this.#byId.get(id),
    });
    this.#peers = new Peers({ ...this.#channelOptions(), network, onDefect });
    this.setPeers(peers);
  }

  /** The nodes there are from now on: connects to new ones, and leaves those that are not named. */
  setPeers(peers: readonly PeerConfig[]): void {
    const ownUrl = this.#urls.get(this.nodeId);
    this.#urls.clear();
    if (ownUrl !== undefined) this.#urls.set(this.nodeId, ownUrl);
    for (const { id, url } of peers) this.#urls.set(id, url);
    for (const [id, { address }] of this.#byId) {
      if (peers.some((peer) => peer.id === id && peer.address === address)) continue;
      this.#byId.delete(id);
      void this.#peers.remove(address);
    }
    for (const { id, address } of peers) {
      if (id !== this.nodeId && !this.#byId.has(id)) this.#connect(id, address);
    }
  }

  #connect(id: number, address: string): void {
    const peer = this.#peers.peer(address, { nodeId: id });
    peer.onChange((state) => {
      if (state === 'down') this.transport.peerDown(id);
    });
    this.#byId.set(id, peer);
  }

  /** Listens for other nodes and begins to connect to them. */
  static async listen(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    const { network, config, onDefect } = options;
    try {
      cluster.#server = await serveChannels(config.cluster.listen, {
        ...cluster.#channelOptions(),
        network,
        onDefect,
      });
    } catch (error) {
      await cluster.close();
      throw themisError('CONFIG_INVALID', {
        message: `cannot listen on cluster.listen ${config.cluster.listen}: ${String(error)}`,
        cause: error,
      });
    }
    return cluster;
  }

  /** The first members of a new group; of none for a node that waits to be added. */
  get firstMembers(): readonly number[] {
    const { join, node } = this.#options.config.cluster;
    return join ? [] : [...new Set([node, ...this.#byId.keys()])].sort((a, b) => a - b);
  }

  /** From now on this node takes requests. `url` is where clients reach it. */
  serve(served: Served, url: string): void {
    this.#served = served;
    if (!this.#urls.has(this.nodeId)) this.#urls.set(this.nodeId, url);
    this.#changed(served.replica.status());
    served.replica.onRoleChange((status) => this.#changed(status));
    void this.#catchUp(served.replica);
  }

  /** What keeps this node from serving well, if anything does. */
  get hindrance(): 'starting' | 'stopping' | 'no-leader' | 'catching-up' | undefined {
    if (this.#served === undefined) return 'starting';
    if (this.#isDraining) return 'stopping';
    if (this.#leader === undefined) return 'no-leader';
    return this.#hasCaughtUp ? undefined : 'catching-up';
  }

  /** Before a planned stop: not ready any more, and no leader any more. Requests are still taken. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const { replica } = this;
    if (replica.isAlone) return;
    try {
      await replica.transferLeadership();
    } catch (error) {
      // Nobody is there to take it: they will notice.
      if (!hasCode(error, 'MEMBER_CHANGE_REFUSED', 'STORE_FAILED', 'SHUTTING_DOWN')) throw error;
    }
  }

  get replica(): Replica {
    return this.#served!.replica;
  }

  get leader(): number | undefined {
    return this.#leader;
  }

  get isLeading(): boolean {
    return this.#leader === this.nodeId && !this.#isFailed;
  }

  get term(): number {
    return this.#term;
  }

  get leaderUrl(): string | undefined {
    return this.#leader === undefined ? undefined : this.#urls.get(this.#leader);
  }

  urlOf(id: number): string | undefined {
    return this.#urls.get(id);
  }

  peerOf(id: number): Peer | undefined {
    return this.#byId.get(id);
  }

  get peersUp(): number {
    return [...this.#byId.values()].filter(({ state }) => state === 'up').length;
  }

  /** Of all nodes in the configuration, this one included. */
  get nodeIds(): readonly number[] {
    return [...new Set([this.nodeId, ...this.#byId.keys()])].sort((a, b) => a - b);
  }

  get leaderWaitMs(): number {
    return this.#options.config.cluster.leaderWaitMs;
  }

  /** Who leads, once somebody does; undefined when nobody does within the time. */
  async awaitLeader(timeoutMs: number, signal: () => AbortSignal): Promise<number | undefined> {
    const endMs = this.#now() + timeoutMs;
    while (this.#leader === undefined || this.#isFailed) {
      const leftMs = endMs - this.#now();
      if (leftMs <= 0) return undefined;
      await this.change(leftMs, signal());
    }
    return this.#leader;
  }

  /** Until role, term or leader change, but no longer than `timeoutMs`. */
  change(timeoutMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter);
        timer.cancel();
        signal.removeEventListener('abort', aborted);
      };
      const waiter = {
        wake: () => {
          end();
          resolve();
        },
        cancel: end,
      };
      const aborted = (): void => {
        end();
        reject(signal.reason as Error);
      };
      const timer = this.#options.env.timers.after(timeoutMs, waiter.wake);
      signal.addEventListener('abort', aborted, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /**
   * Resolves with the term once this node, as its leader, has applied all that was committed before it.
   * Without waiting for all but the first requests of a term. NO_LEADER, NOT_LEADER.
   */
  async beginLeading(options: ReadOptions): Promise<number> {
    const term = this.#term;
    if (term === this.#readyTerm) return term;
    await this.confirmLeading(term, options);
    this.#readyTerm = term;
    return term;
  }

  /**
   * Proves that this node led in `term` when it was called, and so that what was read here since was
   * current: an answer that no commit stands behind must not come from a leader that was deposed.
   * NO_LEADER, NOT_LEADER.
   */
  async confirmLeading(term: number, options: ReadOptions): Promise<void> {
    const { replica } = this;
    if (replica.isAlone) return;
    await replica.awaitReadable({ type: 'strong' }, options);
    const status = replica.status();
    if (status.role === 'leader' && status.term === term) return;
    throw this.notLeader();
  }

  notLeader(): Error {
    const known = this.#leader === undefined || this.#leader === this.nodeId;
    const where = known ? 'an election is under way' : `node ${this.#leader} leads`;
    return themisError('NOT_LEADER', {
      message: `node ${this.nodeId} does not lead the shard: ${where}`,
      details: { leader: this.#leader ?? null },
    });
  }

  /** Takes no more of other nodes, and drops what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { cancel } of this.#waiters) cancel();
    await this.#server?.close();
    await this.#peers.close();
  }

  #channelOptions(): {
    env: Env;
    identity: { nodeId: number; clusterId: string; role: string };
    handlers: ChannelHandlers;
  } {
    const { env, config } = this.#options;
    const { id: clusterId, node: nodeId } = config.cluster;
    const handlers: ChannelHandlers = {
      ...this.transport.handlers,
      call: { status: () => Buffer.from(JSON.stringify(this.#served?.status() ?? null)) },
      duplex: { request: (head, chunks, context) => this.#take(head, chunks, context) },
    };
    return { env, identity: { nodeId, clusterId, role: 'node' }, handlers };
  }

  #take(
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
    context: CallContext,
  ): Promise<DuplexAnswer> {
    if (this.#served === undefined) {
      throw themisError('NOT_LEADER', {
        message: `node ${this.nodeId} has just started`,
        details: { leader: null },
      });
    }
    const carrier = new ForwardedCarrier(head, chunks, context);
    void this.#served.handle(carrier).then(() => carrier.release());
    return carrier.answer;
  }

  /** Until this node has once seen what was current. */
  async #catchUp(replica: Replica): Promise<void> {
    while (!this.#isClosed) {
      try {
        await replica.awaitReadable({ type: 'strong' }, { timeoutMs: catchUpTryMs });
        this.#hasCaughtUp = true;
        return;
      } catch (error) {
        if (hasCode(error, 'SHUTTING_DOWN', 'STORE_FAILED')) return;
        if (!hasCode(error, 'NO_LEADER')) throw error;
      }
    }
  }

  #changed({ leader, term, role }: ReplicaStatus): void {
    if (leader !== undefined && leader !== this.#leader) this.leaderChanges++;
    this.#leader = leader;
    this.#term = term;
    this.#isFailed = role === 'failed';
    for (const { wake } of this.#waiters) wake();
  }

  #now(): number {
    return this.#options.env.clock.monotonicMs();
  }
}
