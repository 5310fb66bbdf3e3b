import { MessageChannel, Worker } from 'node:worker_threads';
import { silentLog, type LogLevel, type Network, type NetworkConnection } from '@themisdb/base';
import { openChannel, portConnection, type ShardChannel } from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import { runChannelContract } from '@themisdb/testing/channel-contract';
import { runNetworkContract } from '@themisdb/testing/network-contract';
import { patientLimits, runFarEndTests } from '../testing/far-end-tests.ts';
import { nodeClock } from './node-clock.ts';
import { channelPort } from './node-port.ts';
import { nodeTimers } from './node-timers.ts';

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Ports as a network, for the sake of the suite: who connects gets one, who listens the other. */
function makePortNetwork(): Network {
  const listeners = new Map<string, (connection: NetworkConnection) => void>();
  let nextPort = 1;
  const refuse = (message: string): Error => themisError('CONNECTION_FAILED', { message });
  return {
    async listen(address, onConnection) {
      const real = address.endsWith(':0') ? `port:${nextPort++}` : address;
      if (listeners.has(real)) throw refuse(`${real} is taken`);
      listeners.set(real, onConnection);
      return { address: real, close: async () => void listeners.delete(real) };
    },
    async connect(address, { signal } = {}) {
      signal?.throwIfAborted();
      await nodeTimers.yield();
      signal?.throwIfAborted();
      const onConnection = listeners.get(address);
      if (onConnection === undefined) throw refuse(`nobody listens at ${address}`);
      const { port1, port2 } = new MessageChannel();
      onConnection(portConnection(channelPort(port2), 'near'));
      return portConnection(channelPort(port1), address);
    },
  };
}

runNetworkContract('a message port', async () => ({
  network: makePortNetwork(),
  address: 'port:0',
  run: (body) => body(),
  settle,
  dispose: async () => {},
}));

runChannelContract('over a message port', async () => {
  const logged: { level: LogLevel; message: string }[] = [];
  const log = { write: (level: LogLevel, message: string) => void logged.push({ level, message }) };
  const env = { clock: nodeClock, timers: nodeTimers, log };
  const identity = (nodeId: number) => ({ nodeId, clusterId: 'test', role: 'node' });
  const ends: ShardChannel[] = [];
  return {
    async open(first, second) {
      const { port1, port2 } = new MessageChannel();
      const [a, b] = await Promise.all([
        openChannel(portConnection(channelPort(port1), 'b'), {
          env,
          identity: identity(1),
          ...first,
        }),
        openChannel(portConnection(channelPort(port2), 'a'), {
          env,
          identity: identity(2),
          ...second,
        }),
      ]);
      ends.push(a, b);
      return [a, b];
    },
    run: (body) => body(),
    settle,
    logged,
    async dispose() {
      await Promise.all(ends.map((end) => end.close()));
    },
  };
});

runFarEndTests('a worker thread', async (handlers) => {
  const { port1, port2 } = new MessageChannel();
  const register = new URL('../../../testing/src/ts-register.mjs', import.meta.url);
  const worker = new Worker(new URL('../testing/channel-worker.ts', import.meta.url), {
    workerData: { port: port2 },
    transferList: [port2],
    execArgv: ['--import', register.href, '--conditions', 'themis-src', '--no-warnings'],
  });
  const ended = new Promise<number>((resolve) => worker.once('exit', resolve));
  const channel = await openChannel(portConnection(channelPort(port1), 'worker'), {
    env: { clock: nodeClock, timers: nodeTimers, log: silentLog },
    identity: { nodeId: 1, clusterId: 'test', role: 'node' },
    handlers,
    limits: patientLimits,
  });
  return { channel, ended };
});
