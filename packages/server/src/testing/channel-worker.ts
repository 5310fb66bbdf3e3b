import { workerData, type MessagePort } from 'node:worker_threads';
import { silentLog } from '@themisdb/base';
import { openChannel, portConnection, type ShardChannel } from '@themisdb/channel';
import { channelPort } from '../env/node-port.ts';
import { nodeClock } from '../env/node-clock.ts';
import { nodeTimers } from '../env/node-timers.ts';
import { farEnd } from './far-end.ts';

/** A worker thread that serves a channel on the port it is given. */
const { port } = workerData as { port: MessagePort };
const channel: ShardChannel = await openChannel(portConnection(channelPort(port), 'main'), {
  env: { clock: nodeClock, timers: nodeTimers, log: silentLog },
  ...farEnd(() => channel),
});
