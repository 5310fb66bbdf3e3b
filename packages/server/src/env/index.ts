import type { Env, Log } from '@themisdb/base';
import { nodeClock } from './node-clock.ts';
import { makeNodeDisk } from './node-disk.ts';
import { makeJsonLog } from './node-log.ts';
import { nodeRandom } from './node-random.ts';
import { nodeTimers } from './node-timers.ts';

export { makeNodeDisk } from './node-disk.ts';
export { makeJsonLog, type JsonLogOptions } from './node-log.ts';
export { nodeNetwork } from './node-network.ts';
export { channelPort } from './node-port.ts';

export interface NodeEnvOptions {
  /** The folder `Env.disk` is confined to; made when absent. */
  readonly dataRoot: string;
  /** Default: JSON lines of level `warn` and above on standard error. */
  readonly log?: Log;
}

/** The real outside world: system clock, timers, secure random numbers, files under one folder. */
export function makeNodeEnv(options: NodeEnvOptions): Env {
  return {
    clock: nodeClock,
    timers: nodeTimers,
    random: nodeRandom,
    disk: makeNodeDisk(options.dataRoot),
    log: options.log ?? makeJsonLog({ level: 'warn' }),
  };
}
