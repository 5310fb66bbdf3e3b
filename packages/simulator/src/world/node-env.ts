import type { Prng, Env, Log, LogLevel } from '@themisdb/base';
import {
  SimClock,
  SimDisk,
  SimRandom,
  SimTimers,
  Trace,
  type SimScheduler,
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
  /** Into the trace. */
  note(what: string): void;
  makeDisk(): SimDisk;
}

/** What happens on one node, as part of what happens in the world. */
class NodeTrace extends Trace {
  readonly #world: Trace;
  readonly #id: number;
  readonly #onLine: (line: string) => void;

  constructor(world: Trace, id: number, onLine: (line: string) => void) {
    super(0);
    this.#world = world;
    this.#id = id;
    this.#onLine = onLine;
  }

  override add(line: string): void {
    this.#world.add(`n${this.#id} ${line}`);
    this.#onLine(line);
  }
}

export function makeNodeEnv(parts: {
  readonly id: number;
  readonly world: SimScheduler;
  readonly trace: Trace;
  readonly prng: Prng;
  readonly onLog: OnLogLine;
  /** Every operation of the disk, among others, as the trace has it. */
  readonly onTrace: (line: string) => void;
  readonly epochMs: number;
}): NodeEnv {
  const { world, prng } = parts;
  const trace = new NodeTrace(parts.trace, parts.id, parts.onTrace);
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
    note(what) {
      trace.add(`${world.nowMs} ${what}`);
    },
    drift(to) {
      rate = to;
      clock.drift(to);
    },
    makeDisk,
  };
}
