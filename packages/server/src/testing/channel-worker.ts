import { workerData, type MessagePort } from 'node:worker_threads';
import { openChannel, portConnection } from '@themisdb/channel';
import { makeJsonLog } from '../env/node-log.ts';
import { channelPort } from '../env/node-port.ts';
import { nodeClock } from '../env/node-clock.ts';
import { nodeTimers } from '../env/node-timers.ts';

/** A worker thread that serves a channel on the port it is given. */
const { port } = workerData as { port: MessagePort };
await openChannel(portConnection(channelPort(port), 'main'), {
  env: { clock: nodeClock, timers: nodeTimers, log: makeJsonLog() },
  identity: { nodeId: 1, clusterId: 'test', role: 'store' },
  handlers: {
    call: {
      reverse: (body) => body.slice().reverse(),
      die: () => process.exit(3),
    },
    stream: {
      async *count(body) {
        for (let i = 0; i < body[0]!; i++) yield new Uint8Array(10_000).fill(i);
      },
    },
  },
});
