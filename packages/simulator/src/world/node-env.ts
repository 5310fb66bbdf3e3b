import { Prng, type Env, type Log, type LogLevel } from '@themisdb/base';
import {
  SimClock,
  SimDisk,
  SimRandom,
  SimTimers,
  type SimScheduler,
  type Trace,
} from '@themisdb/testing';
import { NodeScheduler } from './node-scheduler.ts';

export type OnLogLine = (
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

/** The outside world of one node. It lives on when the process dies; the disk with it. */
export interface NodeEnv extends Env {
  readonly scheduler: NodeScheduler;
  readonly clock: SimClock;
  readonly timers: SimTimers;
  disk: SimDisk;
  readonly prng: Prng;
  drift(rate: number): void;
  makeDisk(): SimDisk;
}

export function makeNodeEnv(parts: {
  readonly world: SimScheduler;
  readonly trace: Trace;
  readonly prng: Prng;
  readonly onLog: OnLogLine;
  readonly epochMs: number;
}): NodeEnv {
  const { world, trace, prng } = parts;
  let rate = 1;
  const scheduler = new NodeScheduler(world);
  const timed = new NodeScheduler(scheduler, () => rate);
  const clock = new SimClock(scheduler, parts.epochMs);
  const makeDisk = (): SimDisk => new SimDisk(scheduler, prng.fork(), trace);
  const log: Log = {
    write(level, message, fields = {}) {
      trace.add(`${world.nowMs} log ${level} ${message}`);
      parts.onLog(level, message, fields);
    },
  };
  return {
    scheduler,
    clock,
    timers: new SimTimers(timed, trace),
    random: new SimRandom(prng.fork()),
    disk: makeDisk(),
    log,
    prng: prng.fork(),
    drift(to) {
      rate = to;
      clock.drift(to);
    },
    makeDisk,
  };
}
