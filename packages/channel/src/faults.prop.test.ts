import { isThemisError, type Prng } from '@themisdb/base';
import { makeSimEnv, SimNetwork, type NetworkFault, type SimEnv } from '@themisdb/testing';
import { describe, expect, test } from 'vitest';
import {
  Peers,
  serveChannels,
  type CallOptions,
  type ChannelHandlers,
  type Peer,
} from './index.ts';

// Strategy: node 1 calls, streams, uploads and sends to node 2 through a network that is partitioned,
// clogged and reset, while node 2 crashes and comes back. Invariants: every call settles; what it
// answers is the answer to what it asked; messages arrive in order and never twice; bodies are never
// mixed; once the network is whole a call gets through; nothing is left behind; equal seeds, equal
// histories.

const identity = (nodeId: number) => ({ nodeId, clusterId: 'c', role: 'node' });
const limits = { frameBytesMax: 4_096, messageBytesMax: 100_000, windowBytes: 3_000 };

/** Bytes that name themselves: their seed at the start, the rest made from it. */
function named(seed: number, length: number): Uint8Array {
  const out = new Uint8Array(Math.max(length, 4));
  new DataView(out.buffer).setUint32(0, seed);
  for (let i = 4; i < out.length; i++) out[i] = (seed * 31 + i) % 251;
  return out;
}

function isNamed(bytes: Uint8Array): boolean {
  const { buffer, byteOffset } = bytes;
  const seed = new DataView(buffer, byteOffset).getUint32(0);
  return Buffer.compare(bytes, named(seed, bytes.length)) === 0;
}

class World {
  readonly env: SimEnv;
  readonly prng: Prng;
  readonly network: SimNetwork;
  readonly received: number[] = [];
  readonly outcomes = new Map<string, number>();
  mixed = 0;
  #faults: NetworkFault[] = [];
  #isDown = false;

  constructor(seed: number) {
    this.env = makeSimEnv(seed);
    this.prng = this.env.prng.fork();
    const options = { timeoutMs: 3_000 };
    this.network = new SimNetwork(this.env.scheduler, this.prng.fork(), this.env.trace, options);
  }

  async serve(): Promise<void> {
    const network = this.network.host('b');
    const { env } = this;
    await serveChannels('b:1', {
      env,
      network,
      limits,
      identity: identity(2),
      handlers: this.#handlers(),
    });
  }

  #handlers(): ChannelHandlers {
    const { env, prng, received } = this;
    const check = (bytes: Uint8Array): Uint8Array => {
      if (!isNamed(bytes)) this.mixed++;
      return bytes;
    };
    const work = (): Promise<void> => env.timers.sleep(prng.float() * 200);
    return {
      call: { echo: async (body) => (await work(), check(body)), soon: check },
      stream: {
        async *list(body) {
          for (let i = 0; i < 20; i++) {
            if (prng.chance(0.2)) await work();
            yield body;
          }
        },
      },
      duplex: {
        upload: async (head, chunks) => ({
          head,
          chunks: (async function* () {
            for await (const chunk of chunks) yield check(chunk);
          })(),
        }),
      },
      message: {
        note: (body) => received.push(new DataView(check(body).slice().buffer).getUint32(0)),
      },
    };
  }

  async disturb(): Promise<void> {
    const { network, prng } = this;
    const roll = prng.below(8);
    if (roll === 0) this.#faults.push(network.partition(['a'], ['b']));
    else if (roll === 1) this.#faults.push(network.partition(['b'], ['a'], { oneWay: true }));
    else if (roll === 2) this.#faults.push(network.clog(['a'], ['b'], prng.between(1, 500)));
    else if (roll === 3) network.reset('a', 'b');
    else if (roll === 4 && !this.#isDown) {
      this.#isDown = true;
      network.crash('b', prng.pick(['silent', 'reset']));
    } else if (roll === 5) await this.#revive();
    else this.#faults.shift()?.heal();
  }

  async mend(): Promise<void> {
    this.network.heal();
    await this.#revive();
  }

  async #revive(): Promise<void> {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.network.restart('b');
    await this.serve();
  }

  /** One call of any kind; counts how it ended. */
  async use(peer: Peer, seed: number): Promise<void> {
    const { prng } = this;
    const controller = new AbortController();
    const options: CallOptions = { deadlineMs: prng.between(1, 3_000), signal: controller.signal };
    if (prng.chance(0.2)) {
      this.env.timers.after(prng.float() * 100, () => controller.abort(new Error('left')));
    }
    const body = named(seed, prng.pick([4, 200, 3_000, 50_000]));
    const kind = prng.pick(['echo', 'soon', 'list', 'upload']);
    try {
      await this.#attempt(peer, kind, body, options);
      this.#count(`${kind} ok`);
    } catch (error) {
      if (error instanceof Error && error.message === 'left') return this.#count('left');
      if (!isThemisError(error)) throw error;
      this.#count(error.code);
    }
  }

  async #attempt(peer: Peer, kind: string, body: Uint8Array, options: CallOptions): Promise<void> {
    const isSame = (bytes: Uint8Array): boolean => Buffer.compare(bytes, body) === 0;
    if (kind === 'echo' || kind === 'soon') {
      if (!isSame(await peer.call(kind, body, options))) this.mixed++;
      return;
    }
    const half = body.subarray(0, Math.max(4, body.length / 2));
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      yield body;
      yield half;
    };
    let chunks = 0;
    const answer =
      kind === 'list'
        ? peer.stream('list', body, options)
        : (await peer.duplex('upload', body, parts(), options)).chunks;
    for await (const chunk of answer) {
      chunks++;
      if (!isNamed(chunk)) this.mixed++;
    }
    expect(chunks).toBe(kind === 'list' ? 20 : 2);
  }

  #count(name: string): void {
    this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1);
  }
}

async function live(seed: number): Promise<{ world: World; hash: string }> {
  const world = new World(seed);
  const { env, network, prng } = world;
  await env.run(async () => {
    await world.serve();
    const peers = new Peers({ env, network: network.host('a'), limits, identity: identity(1) });
    const peer = peers.peer('b:1', { nodeId: 2 });
    const calls: Promise<void>[] = [];
    for (let i = 1; i <= 150; i++) {
      if (prng.chance(0.6)) calls.push(world.use(peer, i));
      peer.send('note', named(i, 10));
      if (prng.chance(0.12)) await world.disturb();
      await env.timers.sleep(prng.float() * 60);
    }
    await world.mend();
    await Promise.all(calls);
    await env.timers.sleep(10_000);
    expect(await peer.call('soon', named(9_999, 100))).toEqual(named(9_999, 100));
    const { callsOut, callsIn } = peer.channel!.stats();
    expect([callsOut, callsIn]).toEqual([0, 0]);
    await peers.close();
  });
  return { world, hash: env.traceHash() };
}

const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

describe('a channel on a bad network', () => {
  const totals = new Map<string, number>();

  test.each(seeds)('keeps its word, seed %i', async (seed) => {
    const { world } = await live(seed);
    expect(world.mixed).toBe(0);
    const sorted = [...new Set(world.received)].sort((a, b) => a - b);
    expect(world.received).toEqual(sorted);
    for (const [name, count] of world.outcomes) totals.set(name, (totals.get(name) ?? 0) + count);
    const defects = world.env.log.lines.filter(({ level }) => level === 'error');
    expect(defects).toEqual([]);
  });

  test('all of it was met', () => {
    const wanted = ['echo ok', 'soon ok', 'list ok', 'upload ok', 'left'];
    for (const name of [...wanted, 'REQUEST_TIMEOUT', 'CONNECTION_FAILED']) {
      expect(totals.get(name) ?? 0, name).toBeGreaterThan(30);
    }
    expect([...totals.keys()].sort()).toEqual(
      ['CONNECTION_FAILED', 'REQUEST_TIMEOUT', ...wanted].sort(),
    );
  });

  test('equal seeds give equal histories', async () => {
    const hashes = [await live(3), await live(3), await live(4)].map(({ hash }) => hash);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });
});
