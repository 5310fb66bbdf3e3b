import { Prng, type Env } from '@themisdb/base';
import { SimScheduler, type RunLimits } from './scheduler.ts';
import { SimClock } from './sim-clock.ts';
import { SimDisk, type SimDiskOptions } from './sim-disk.ts';
import { SimLog } from './sim-log.ts';
import { SimRandom } from './sim-random.ts';
import { SimTimers } from './sim-timers.ts';
import { Trace } from './trace.ts';

export interface SimEnvOptions {
  /** Share one to put several nodes into one virtual time. */
  readonly scheduler?: SimScheduler;
  /** Share one for a history over several nodes. */
  readonly trace?: Trace;
  readonly disk?: SimDiskOptions;
  /** Wall clock at the start. Default 2026-01-01 UTC. */
  readonly epochMs?: number;
}

/** A node's outside world made from a seed: equal seeds and equal calls give equal histories. */
export interface SimEnv extends Env {
  readonly seed: number | bigint;
  readonly scheduler: SimScheduler;
  readonly trace: Trace;
  readonly clock: SimClock;
  readonly timers: SimTimers;
  readonly disk: SimDisk;
  readonly log: SimLog;
  /** For the test's own draws; apart from those of `random` and the disk. */
  readonly prng: Prng;
  /** Lets virtual time pass until the task settles: `SimScheduler.run`. */
  run<T>(task: () => Promise<T>, limits?: RunLimits): Promise<T>;
  /** Power is cut: timers, handles and calls under way are gone, unsynced data is lost in part. */
  crash(): void;
  /** The process dies alone: timers, handles and calls under way are gone, what was written stays. */
  kill(): void;
  /** Equal for equal histories: each operation of disk, timers and log with its time and bytes. */
  traceHash(): string;
}

export function makeSimEnv(seed: number | bigint, options: SimEnvOptions = {}): SimEnv {
  const root = new Prng(seed);
  const scheduler = options.scheduler ?? new SimScheduler();
  const trace = options.trace ?? new Trace();
  const crashes = root.fork();
  const disk = new SimDisk(scheduler, root.fork(), trace, options.disk);
  const timers = new SimTimers(scheduler, trace);
  return {
    seed,
    scheduler,
    trace,
    clock: new SimClock(scheduler, options.epochMs ?? 1_767_225_600_000),
    timers,
    random: new SimRandom(root.fork()),
    disk,
    log: new SimLog(scheduler, trace),
    prng: root.fork(),
    run: (task, limits) => scheduler.run(task, limits),
    crash() {
      timers.crash();
      disk.crash(crashes);
    },
    kill() {
      timers.crash();
      disk.kill();
    },
    traceHash: () => trace.hash(),
  };
}
