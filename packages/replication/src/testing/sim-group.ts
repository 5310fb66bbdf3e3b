import { makeMemoryEngine, type KvEngine, type MemoryEngine } from '@themisdb/kv';
import { themisError } from '@themisdb/protocol';
import { loadTokenHash } from '@themisdb/sharding';
import { makeSimEnv, SimScheduler, type SimEnv } from '@themisdb/testing';
import { openWal, type Wal } from '@themisdb/wal';
import type { RaftBatch, RaftTransport, Replica, SnapshotRequest } from '../contract.ts';
import { decodeBatch, encodeBatch } from '../message-codec.ts';
import { openReplica, type OpenReplicaOptions } from '../open.ts';

// Compiling WebAssembly takes real time, which simulated time does not wait for.
await loadTokenHash();

/** One replica with its world. `replica` is undefined while it is down. */
export interface SimMember {
  readonly id: number;
  readonly env: SimEnv;
  engine: KvEngine;
  wal: Wal | undefined;
  replica: Replica | undefined;
}

/**
 * A group of replicas in one virtual time, on wires that deliver after a millisecond or so, in any order,
 * unless they are cut. Messages travel as bytes.
 */
export class SimGroup {
  readonly scheduler = new SimScheduler();
  readonly members = new Map<number, SimMember>();
  /** So many fetches of a snapshot break off. */
  breakSnapshots = 0;
  /** That many chunks of a fetch that breaks off arrive, the head among them. */
  chunksBeforeBreak = 1;
  onSend: (from: number, batch: RaftBatch, to: number) => void = () => {};
  onFetch: (to: number, request: SnapshotRequest) => void = () => {};
  /** A chunk that arrived. */
  onChunk: (to: number, bytes: Uint8Array) => void = () => {};
  readonly #cut = new Set<string>();
  /** Until when the loop of a replica stands still. */
  readonly #stalledToMs = new Map<number, number>();
  #wiped = 0;
  readonly #sent = new Map<number, number>();
  readonly #options: Partial<OpenReplicaOptions>;
  readonly #seed: number;

  constructor(seed: number, options: Partial<OpenReplicaOptions> = {}) {
    this.#seed = seed;
    this.#options = options;
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    return this.scheduler.run(task, { virtualMsMax: 3_600_000 });
  }

  async start(ids: readonly number[]): Promise<void> {
    for (const id of ids) await this.open(id, ids);
  }

  /** Opens a replica for the first time, or again on what is left of it. */
  async open(
    id: number,
    first: readonly number[] = [],
    options: Partial<OpenReplicaOptions> = {},
  ): Promise<Replica> {
    let member = this.members.get(id);
    if (member === undefined) {
      const seed = this.#seed * 1000 + 10 * this.#wiped + id;
      const env = makeSimEnv(seed, { scheduler: this.scheduler });
      this.#letStall(id, env);
      const engine = makeMemoryEngine({ crashable: true });
      member = { id, env, engine, wal: undefined, replica: undefined };
      this.members.set(id, member);
    }
    const { env, engine } = member;
    const transport = this.#transport(member);
    this.#transports.set(id, transport);
    member.wal = await openWal(env, { directory: 'wal', segmentBytes: 64 * 1024 });
    member.replica = await openReplica({
      env,
      engine,
      wal: member.wal,
      nodeId: id,
      members: first,
      transport,
      snapshotBytesPerSecond: Number.POSITIVE_INFINITY,
      ...this.#options,
      ...options,
    });
    return member.replica;
  }

  member(id: number): SimMember {
    return this.members.get(id)!;
  }

  transport(id: number): RaftTransport {
    return this.#transports.get(id)!;
  }

  replica(id: number): Replica {
    return this.member(id).replica!;
  }

  messagesFrom(id: number): number {
    return this.#sent.get(id) ?? 0;
  }

  /** An orderly end. */
  async stop(id: number): Promise<void> {
    const member = this.member(id);
    const { replica, wal } = member;
    await replica!.close();
    await wal!.close();
    member.replica = member.wal = undefined;
  }

  /** Power is cut: unsynced bytes are lost in part, the engine falls back to some earlier batch. */
  crash(id: number): void {
    const member = this.member(id);
    member.env.crash();
    member.engine = (member.engine as MemoryEngine).crash(member.env.prng);
    member.replica = member.wal = undefined;
  }

  /** Each batch of its engine takes so long from now on. */
  slowDown(id: number, ms: number): void {
    const { engine } = this.member(id);
    const write = engine.write.bind(engine);
    engine.write = async (batch) => {
      await this.sleep(ms);
      return write(batch);
    };
  }

  /** Nothing of it runs for so long; then its timers do that are due, and after them what arrived. */
  stall(id: number, ms: number): void {
    this.#stalledToMs.set(id, this.scheduler.nowMs + ms);
  }

  /** Its engine has no space for so long. */
  fillEngine(id: number, ms: number): void {
    const { engine } = this.member(id);
    const endMs = this.scheduler.nowMs + ms;
    const write = engine.write.bind(engine);
    engine.write = async (batch) => {
      if (this.scheduler.nowMs < endMs) throw themisError('DISK_FULL', { message: 'simulated' });
      return write(batch);
    };
  }

  /** The process ends, the machine does not: what was written to files is there. */
  kill(id: number): void {
    const member = this.member(id);
    member.env.kill();
    member.engine = (member.engine as MemoryEngine).crash(member.env.prng);
    member.replica = member.wal = undefined;
  }

  /** Of a replica that is down: the log is whole, the engine is not. */
  loseEngine(id: number): void {
    this.member(id).engine = makeMemoryEngine({ crashable: true });
  }

  /** All there was on its disk is gone. */
  wipe(id: number): void {
    this.crash(id);
    this.#wiped++;
    this.members.delete(id);
  }

  cut(...ids: readonly number[]): void {
    for (const id of ids)
      for (const other of this.members.keys())
        if (!ids.includes(other)) {
          this.#cut.add(`${id}>${other}`);
          this.#cut.add(`${other}>${id}`);
        }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** All others are told that their connections to it broke. */
  hangUp(id: number): void {
    for (const [other, transport] of this.#transports) if (other !== id) transport.peerDown?.(id);
  }

  /** The replica that leads and knows it has a quorum: waits for one. */
  async leader(among?: readonly number[]): Promise<Replica> {
    for (;;) {
      for (const { id, replica } of this.members.values()) {
        if (replica === undefined || among?.includes(id) === false) continue;
        if (replica.status().role === 'leader') {
          const mode = { type: 'strong' } as const;
          const isLeading = await replica.awaitReadable(mode, { timeoutMs: 500 }).then(
            () => replica.status().role === 'leader',
            () => false,
          );
          if (isLeading) return replica;
        }
      }
      await this.sleep(20);
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.scheduler.at(ms, resolve));
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await this.sleep(10);
  }

  #transport(member: SimMember): RaftTransport {
    const { id, env } = member;
    return {
      receive: () => {},
      serveSnapshot: () => none(),
      send: (to: number, batch: RaftBatch) => {
        const bytes = encodeBatch(batch);
        this.onSend(id, batch, to);
        this.#sent.set(id, this.messagesFrom(id) + batch.messages.length);
        this.#deliver(to, 0.2 + env.prng.float() * 1.5, () => {
          const target = this.members.get(to);
          if (this.#cut.has(`${id}>${to}`) || target?.replica === undefined) return;
          this.#transports.get(to)?.receive(id, decodeBatch(bytes));
        });
      },
      fetchSnapshot: (from, request, signal) => this.#carry(id, from, request, signal),
    };
  }

  readonly #transports = new Map<number, RaftTransport>();

  #stalledMs(id: number): number {
    return Math.max(0, (this.#stalledToMs.get(id) ?? 0) - this.scheduler.nowMs);
  }

  /** A turn of the event loop begins with timers. */
  #letStall(id: number, { timers }: SimEnv): void {
    const after = timers.after.bind(timers);
    timers.after = (delayMs, run) => {
      let handle = after(delayMs, () => {
        const leftMs = this.#stalledMs(id);
        if (leftMs > 0) handle = after(leftMs, run);
        else run();
      });
      return { cancel: () => handle.cancel() };
    };
  }

  #deliver(to: number, delayMs: number, run: () => void): void {
    this.scheduler.at(delayMs, () => {
      const leftMs = this.#stalledMs(to);
      if (leftMs > 0) this.scheduler.at(leftMs + 0.01, run);
      else run();
    });
  }

  async *#carry(
    to: number,
    from: number,
    request: Parameters<RaftTransport['fetchSnapshot']>[1],
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const source = this.#transports.get(from)!;
    this.onFetch(to, request);
    let chunks = 0;
    for await (const chunk of source.serveSnapshot(to, request, signal)) {
      await this.sleep(1);
      if (this.breakSnapshots > 0 && ++chunks > this.chunksBeforeBreak) {
        this.breakSnapshots--;
        throw new Error('the connection broke');
      }
      if (this.#cut.has(`${from}>${to}`) || this.members.get(from)?.replica === undefined)
        throw new Error('the connection broke');
      this.onChunk(to, chunk);
      yield chunk;
    }
  }
}

async function* none(): AsyncIterable<Uint8Array> {}
