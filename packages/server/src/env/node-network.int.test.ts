import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { silentLog, type LogLevel } from '@themisdb/base';
import { openChannel, type ShardChannel } from '@themisdb/channel';
import { runChannelContract } from '@themisdb/testing/channel-contract';
import { runNetworkContract } from '@themisdb/testing/network-contract';
import { spawnSource } from '@themisdb/testing/spawn-source';
import { patientLimits, runFarEndTests } from '../testing/far-end-tests.ts';
import { nodeClock } from './node-clock.ts';
import { nodeNetwork } from './node-network.ts';
import { nodeTimers } from './node-timers.ts';

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

runNetworkContract('node:net', async () => ({
  network: nodeNetwork,
  address: '127.0.0.1:0',
  run: (body) => body(),
  settle,
  dispose: async () => {},
}));

runChannelContract('over TCP', async () => {
  const logged: { level: LogLevel; message: string }[] = [];
  const log = { write: (level: LogLevel, message: string) => void logged.push({ level, message }) };
  const env = { clock: nodeClock, timers: nodeTimers, log };
  const identity = (nodeId: number) => ({ nodeId, clusterId: 'test', role: 'node' });
  const ends: ShardChannel[] = [];
  return {
    async open(first, second) {
      let accept!: (channel: Promise<ShardChannel>) => void;
      const accepted = new Promise<ShardChannel>((resolve) => (accept = resolve));
      const listener = await nodeNetwork.listen('127.0.0.1:0', (connection) =>
        accept(openChannel(connection, { env, identity: identity(2), ...second })),
      );
      const connection = await nodeNetwork.connect(listener.address);
      const end = await openChannel(connection, { env, identity: identity(1), ...first });
      ends.push(end, await accepted);
      await listener.close();
      return [end, await accepted];
    },
    run: (body) => body(),
    settle,
    logged,
    async dispose() {
      await Promise.all(ends.map((end) => end.close()));
    },
  };
});

runFarEndTests('another process', async (handlers) => {
  const child = spawnSource(new URL('../testing/channel-process.ts', import.meta.url), []);
  const ended = once(child, 'close').then(([code]) => code as number);
  const [address] = (await once(createInterface(child.stdout), 'line')) as [string];
  const channel = await openChannel(await nodeNetwork.connect(address), {
    env: { clock: nodeClock, timers: nodeTimers, log: silentLog },
    identity: { nodeId: 1, clusterId: 'test', role: 'node' },
    handlers,
    limits: patientLimits,
  });
  return { channel, ended };
});
