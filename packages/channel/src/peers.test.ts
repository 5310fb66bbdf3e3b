import { makeSimEnv, SimNetwork, SimScheduler, type SimEnv } from '@themisdb/testing';
import { describe, expect, test } from 'vitest';
import { Peers, serveChannels, type ChannelHandlers, type Peer } from './index.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

interface World {
  readonly env: SimEnv;
  readonly network: SimNetwork;
  /** Starts node 2 on host `b`; answers with what it has been sent. */
  serve(handlers?: ChannelHandlers, clusterId?: string): Promise<number[]>;
  peers(): Peers;
}

function simulate(body: (world: World) => Promise<void>, seed = 1): Promise<void> {
  const scheduler = new SimScheduler();
  const env = makeSimEnv(seed, { scheduler });
  const network = new SimNetwork(scheduler, env.prng.fork(), env.trace);
  const serve = async (handlers: ChannelHandlers = {}, clusterId = 'c'): Promise<number[]> => {
    const seen: number[] = [];
    const note = (body: Uint8Array): void => void seen.push(body[0]!);
    await serveChannels('b:1', {
      env,
      network: network.host('b'),
      identity: { nodeId: 2, clusterId, role: 'node' },
      handlers: { message: { note }, call: { echo: (body) => body }, ...handlers },
    });
    return seen;
  };
  const peers = (): Peers =>
    new Peers({
      env,
      network: network.host('a'),
      identity: { nodeId: 1, clusterId: 'c', role: 'node' },
    });
  return env.run(() => body({ env, network, serve, peers }));
}

/** Every state with the virtual time of its beginning. */
function history(env: SimEnv, peer: Peer): [string, number][] {
  const seen: [string, number][] = [];
  peer.onChange((state) => seen.push([state, env.clock.monotonicMs()]));
  return seen;
}

const count = (states: readonly [string, number][], wanted: string): number =>
  states.filter(([state]) => state === wanted).length;

describe('a peer', () => {
  test('connects, carries calls and messages, and is one for one address', () =>
    simulate(async ({ env, serve, peers }) => {
      const seen = await serve();
      const all = peers();
      const peer = all.peer('b:1', { nodeId: 2 });
      expect(all.peer('b:1')).toBe(peer);
      expect([peer.state, peer.send('note', bytes(0))]).toEqual(['connecting', false]);
      expect(await peer.call('echo', bytes(5))).toEqual(bytes(5));
      expect(peer.state).toBe('up');
      for (const i of [1, 2, 3]) expect(peer.send('note', bytes(i))).toBe(true);
      await env.timers.sleep(10);
      expect(seen).toEqual([1, 2, 3]);
      await all.close();
      expect(peer.state).toBe('closed');
      await expect(peer.call('echo', bytes())).rejects.toMatchObject({
        code: 'CONNECTION_FAILED',
        details: { sent: false },
      });
    }));

  test('messages of one turn leave in one write', () =>
    simulate(async ({ env, serve, peers }) => {
      const seen = await serve();
      const peer = peers().peer('b:1');
      await peer.call('echo', bytes());
      await env.timers.sleep(10);
      const before = env.trace.tail().length;
      for (let i = 0; i < 50; i++) peer.send('note', bytes(i));
      await env.timers.sleep(10);
      expect(seen).toHaveLength(50);
      const arrivals = env.trace
        .tail()
        .slice(before)
        .filter((line) => line.includes(' net a>b '));
      // A simulated connection may cut a write in two.
      expect(arrivals.length).toBeLessThanOrEqual(2);
    }));

  test('is made anew after it was lost, waiting longer and longer, with jitter', () =>
    simulate(async ({ env, network, serve, peers }) => {
      await serve();
      const peer = peers().peer('b:1');
      await peer.call('echo', bytes());
      const seen = history(env, peer);
      network.crash('b', 'reset');
      await env.timers.sleep(60_000);
      const starts = seen.filter(([state]) => state === 'connecting').map(([, atMs]) => atMs);
      const gaps = starts.slice(1).map((atMs, i) => atMs - starts[i]!);
      expect(Math.max(...gaps)).toBeLessThan(2_010);
      expect(Math.max(...gaps.slice(0, 2))).toBeLessThan(420);
      // On average half of the two seconds at most.
      expect(starts.length).toBeGreaterThan(45);
      expect(starts.length).toBeLessThan(85);
      expect(new Set(gaps).size).toBe(gaps.length);
      const error = await peer.call('echo', bytes()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'CONNECTION_FAILED', details: { sent: false } });
      await serve();
      await env.timers.sleep(2_010);
      expect(peer.state).toBe('up');
      expect(await peer.call('echo', bytes(1))).toEqual(bytes(1));
      expect(env.log.lines.filter(({ message }) => message === 'peer is down')).toHaveLength(2);
    }));

  test('notices a host that died in silence', () =>
    simulate(async ({ env, network, serve, peers }) => {
      await serve();
      const peer = peers().peer('b:1');
      await peer.call('echo', bytes());
      const call = peer.call('echo', bytes(1));
      network.crash('b', 'silent');
      const start = env.clock.monotonicMs();
      await expect(call).rejects.toMatchObject({
        code: 'CONNECTION_FAILED',
        details: { sent: true },
      });
      expect(env.clock.monotonicMs() - start).toBeLessThanOrEqual(4_000);
      expect(env.clock.monotonicMs() - start).toBeGreaterThan(2_000);
    }));

  test('an idle connection lives as long as both sides do', () =>
    simulate(async ({ env, serve, peers }) => {
      await serve();
      const peer = peers().peer('b:1');
      await peer.call('echo', bytes());
      const seen = history(env, peer);
      await env.timers.sleep(3_600_000);
      expect(seen).toEqual([]);
      expect(await peer.call('echo', bytes(1))).toEqual(bytes(1));
    }));

  test('a channel that is lost as soon as it stands is not hammered', () =>
    simulate(async ({ env, network, peers }) => {
      await serveChannels('b:1', {
        env,
        network: network.host('b'),
        identity: { nodeId: 2, clusterId: 'c', role: 'node' },
        onChannel: (channel) => void channel.close(),
      });
      const peer = peers().peer('b:1');
      const seen = history(env, peer);
      await env.timers.sleep(60_000);
      expect(count(seen, 'up')).toBeGreaterThan(30);
      expect(count(seen, 'up')).toBeLessThan(85);
    }));

  test.each([
    ['another cluster', 'wrong-cluster', 'other', 2],
    ['another node', 'wrong-node', 'c', 3],
  ])('%s is refused, and said so on both sides', (_, reason, clusterId, nodeId) =>
    simulate(async ({ env, serve, peers }) => {
      await serve({}, clusterId);
      const peer = peers().peer('b:1', { nodeId });
      const error = await new Promise((resolve) => {
        peer.onChange((state, why) => void (state === 'down' && resolve(why)));
      });
      expect(error).toMatchObject({ code: 'PROTOCOL_ERROR', details: { reason } });
      await env.timers.sleep(100);
      const told = env.log.lines.filter(({ level }) => level === 'warn');
      expect(told.map(({ message }) => message)).toContain('peer is down');
      const reasons = told.map(({ fields }) => (fields['details'] as { reason?: string }).reason);
      expect(new Set(reasons)).toEqual(new Set([reason]));
    }),
  );

  test('a call that waits for the connection keeps its deadline and its signal', () =>
    simulate(async ({ env, network, serve, peers }) => {
      await serve();
      network.partition(['a'], ['b']);
      const peer = peers().peer('b:1');
      const late = peer.call('echo', bytes(), { deadlineMs: 100 });
      await expect(late).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
      expect(env.clock.monotonicMs()).toBeLessThan(200);
      const controller = new AbortController();
      const cancelled = peer.call('echo', bytes(), { signal: controller.signal });
      controller.abort(new Error('enough'));
      await expect(cancelled).rejects.toThrow('enough');
    }));

  test('closing it stops all attempts', () =>
    simulate(async ({ env, network, serve, peers }) => {
      const all = peers();
      const peer = all.peer('b:1');
      await all.close();
      const seen = history(env, peer);
      await serve();
      await env.timers.sleep(10_000);
      expect(seen).toEqual([]);
      network.heal();
    }));
});
