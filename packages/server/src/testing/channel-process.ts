import { silentLog } from '@themisdb/base';
import { openChannel, type ShardChannel } from '@themisdb/channel';
import { nodeClock } from '../env/node-clock.ts';
import { nodeNetwork } from '../env/node-network.ts';
import { nodeTimers } from '../env/node-timers.ts';
import { farEnd } from './far-end.ts';

/** A process that serves a channel to the first who connects. Prints the address at which it listens. */
let channel: ShardChannel;
const listener = await nodeNetwork.listen('127.0.0.1:0', (connection) => {
  void listener.close();
  const env = { clock: nodeClock, timers: nodeTimers, log: silentLog };
  void openChannel(connection, { env, ...farEnd(() => channel) }).then((opened) => {
    channel = opened;
  });
});
process.stdout.write(`${listener.address}\n`);
