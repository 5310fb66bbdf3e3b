import type { NetworkConnection, ThemisError } from '@themisdb/base';
import { openChannel, type ShardChannel } from '@themisdb/channel';
import { describe, expect, test } from 'vitest';
import { runChannelContract } from '../channel-contract.ts';
import { runNetworkContract } from '../network-contract.ts';
import { makeSimEnv, SimNetwork, type SimEnv, type SimNetworkOptions } from './index.ts';

function makeNetwork(env: SimEnv, options?: SimNetworkOptions): SimNetwork {
  return new SimNetwork(env.scheduler, env.prng.fork(), env.trace, options);
}

runNetworkContract('SimNetwork', async () => {
  const env = makeSimEnv(1);
  return {
    network: makeNetwork(env).host('a'),
    address: 'a:0',
    run: (body) => env.run(body),
    settle: () => env.timers.sleep(10),
    dispose: async () => {},
  };
});

describe.each([1, 2, 3])('seed %i', (seed) => {
  runChannelContract('over the simulated network', async () => {
    const env = makeSimEnv(seed);
    const network = makeNetwork(env);
    const identity = (nodeId: number) => ({ nodeId, clusterId: 'test', role: 'node' });
    return {
      async open(first, second) {
        let accept!: (channel: Promise<ShardChannel>) => void;
        const accepted = new Promise<ShardChannel>((resolve) => (accept = resolve));
        const listener = await network
          .host('b')
          .listen('b:1', (connection) =>
            accept(openChannel(connection, { env, identity: identity(2), ...second })),
          );
        const connection = await network.host('a').connect('b:1');
        const end = await openChannel(connection, { env, identity: identity(1), ...first });
        await listener.close();
        return [end, await accepted];
      },
      run: (body) => env.run(body),
      settle: () => env.timers.sleep(50),
      logged: env.log.lines,
      dispose: async () => {},
    };
  });
});

interface Seen {
  readonly connection: NetworkConnection;
  readonly bytes: number[];
  readonly closes: (ThemisError | undefined)[];
}

function watch(connection: NetworkConnection): Seen {
  const seen: Seen = { connection, bytes: [], closes: [] };
  connection.start({
    data: (bytes) => seen.bytes.push(...bytes),
    close: (error) => seen.closes.push(error),
  });
  return seen;
}

/** Hosts `a` and `b` with a connection between them, made by `a`. */
async function connected(env: SimEnv, network: SimNetwork): Promise<[Seen, Seen]> {
  let far!: Seen;
  await network.host('b').listen('b:1', (connection) => (far = watch(connection)));
  const near = watch(await network.host('a').connect('b:1'));
  await env.timers.sleep(5);
  return [near, far];
}

function simulate(
  body: (env: SimEnv, network: SimNetwork) => Promise<void>,
  options?: SimNetworkOptions,
  seed = 1,
): Promise<void> {
  const env = makeSimEnv(seed);
  const network = makeNetwork(env, options);
  return env.run(() => body(env, network));
}

const failed = { code: 'CONNECTION_FAILED' };

describe('SimNetwork faults', () => {
  test('a partition holds bytes up and lets them go when it heals', () =>
    simulate(async (env, network) => {
      const [near, far] = await connected(env, network);
      const partition = network.partition(['a'], ['b', 'c']);
      near.connection.write(Uint8Array.of(1));
      far.connection.write(Uint8Array.of(2));
      await env.timers.sleep(1_000);
      near.connection.write(Uint8Array.of(3));
      await env.timers.sleep(1_000);
      expect([near.bytes, far.bytes]).toEqual([[], []]);
      partition.heal();
      await env.timers.sleep(10);
      expect([near.bytes, far.bytes]).toEqual([[2], [1, 3]]);
    }));

  test('a partition may go one way only', () =>
    simulate(async (env, network) => {
      const [near, far] = await connected(env, network);
      network.partition(['a'], ['b'], { oneWay: true });
      near.connection.write(Uint8Array.of(1));
      far.connection.write(Uint8Array.of(2));
      await env.timers.sleep(100);
      expect([near.bytes, far.bytes]).toEqual([[2], []]);
    }));

  test('who writes into a partition for too long loses the connection', () =>
    simulate(async (env, network) => {
      const [near, far] = await connected(env, network);
      network.partition(['a'], ['b']);
      near.connection.write(Uint8Array.of(1));
      await env.timers.sleep(14_000);
      expect(near.closes).toEqual([]);
      await env.timers.sleep(2_000);
      expect(near.closes).toMatchObject([failed]);
      expect(far.closes).toEqual([]);
      network.heal();
      // The other end learns of it when it writes.
      far.connection.write(Uint8Array.of(2));
      await env.timers.sleep(100);
      expect(far.closes).toMatchObject([failed]);
      expect(near.bytes).toEqual([]);
    }));

  test('another partition that heals does not prolong the wait', () =>
    simulate(async (env, network) => {
      const [near] = await connected(env, network);
      network.partition(['a'], ['b']);
      near.connection.write(Uint8Array.of(1));
      for (let i = 0; i < 16; i++) {
        const other = network.partition(['c'], ['d']);
        await env.timers.sleep(1_000);
        other.heal();
      }
      expect(near.closes).toMatchObject([failed]);
    }));

  test('clogging delays, and keeps the order', () =>
    simulate(async (env, network) => {
      const [near, far] = await connected(env, network);
      const clog = network.clog(['a'], ['b'], 500);
      near.connection.write(Uint8Array.of(1));
      clog.heal();
      near.connection.write(Uint8Array.of(2));
      await env.timers.sleep(400);
      expect(far.bytes).toEqual([]);
      await env.timers.sleep(200);
      expect(far.bytes).toEqual([1, 2]);
    }));

  test('a partition keeps connections from being made until it heals or they give up', () =>
    simulate(async (env, network) => {
      await network.host('b').listen('b:1', () => {});
      const partition = network.partition(['a'], ['b']);
      const late = network.host('a').connect('b:1', { timeoutMs: 500 });
      await expect(late).rejects.toMatchObject(failed);
      const patient = network.host('a').connect('b:1', { timeoutMs: 60_000 });
      await env.timers.sleep(10_000);
      partition.heal();
      expect((await patient).remoteAddress).toBe('b:1');
    }));

  test('a reset breaks both ends', () =>
    simulate(async (env, network) => {
      const [near, far] = await connected(env, network);
      network.reset('a', 'c');
      await env.timers.sleep(10);
      expect([near.closes, far.closes]).toEqual([[], []]);
      network.reset('b', 'a');
      await env.timers.sleep(10);
      expect([near.closes, far.closes]).toMatchObject([[failed], [failed]]);
    }));

  test('a process that dies resets its connections; the host refuses new ones', () =>
    simulate(async (env, network) => {
      const [near, far] = await connected(env, network);
      far.connection.write(Uint8Array.of(7));
      network.crash('b', 'reset');
      await env.timers.sleep(10);
      expect(near.bytes).toEqual([7]);
      expect(near.closes).toMatchObject([failed]);
      expect(far.closes).toEqual([]);
      await expect(network.host('a').connect('b:1')).rejects.toMatchObject(failed);
      expect(env.clock.monotonicMs()).toBeLessThan(100);
    }));

  test('a host that dies in silence is noticed by who writes, or when it is back', () =>
    simulate(async (env, network) => {
      const [near] = await connected(env, network);
      network.crash('b', 'silent');
      await env.timers.sleep(60_000);
      expect(near.closes).toEqual([]);
      near.connection.write(Uint8Array.of(1));
      await env.timers.sleep(1_000);
      expect(near.closes).toEqual([]);
      network.restart('b');
      await env.timers.sleep(10);
      expect(near.closes).toMatchObject([failed]);
      await expect(network.host('a').connect('b:1')).rejects.toMatchObject(failed);
      await network.host('b').listen('b:1', () => {});
      await network.host('a').connect('b:1');
    }));

  test('a network of a process that died cannot be used, and tells it nothing more', () =>
    simulate(async (env, network) => {
      const old = network.host('a');
      let outcomes = 0;
      const note = (): void => void outcomes++;
      void old.connect('b:1').then(note, note);
      network.crash('a', 'reset');
      await env.timers.sleep(60_000);
      expect(outcomes).toBe(0);
      expect(() => old.connect('b:1')).toThrow('after its end');
    }));

  test('equal seeds give equal histories, others give others', async () => {
    const history = async (seed: number): Promise<string> => {
      let hash = '';
      await simulate(
        async (env, network) => {
          const [near, far] = await connected(env, network);
          for (let i = 0; i < 50; i++) {
            near.connection.write(new Uint8Array(1 + env.prng.below(1_000)));
            await env.timers.sleep(env.prng.float());
          }
          network.crash('a', 'reset');
          await env.timers.sleep(10);
          expect(far.closes).toMatchObject([failed]);
          hash = env.traceHash();
        },
        {},
        seed,
      );
      return hash;
    };
    const hashes = await Promise.all([history(1), history(1), history(2)]);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });
});
