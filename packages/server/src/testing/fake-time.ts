import { silentLog, type Env } from '@themisdb/base';
import { makeNodeEnv } from '../env/index.ts';

export interface FakeTime {
  readonly env: Env;
  /** Moves the clock on and runs what became due, in order. */
  advance(ms: number): void;
}

interface Due {
  readonly atMs: number;
  readonly run: () => void;
}

/** The real world but for time, which stands still until it is told to move. */
export function makeFakeTime(dataRoot: string): FakeTime {
  const real = makeNodeEnv({ dataRoot, log: silentLog });
  const start = real.clock.nowMs();
  let nowMs = 0;
  const due = new Set<Due>();
  const env: Env = {
    ...real,
    clock: { nowMs: () => start + Math.floor(nowMs), monotonicMs: () => nowMs },
    timers: {
      ...real.timers,
      after(delayMs, run) {
        const entry = { atMs: nowMs + delayMs, run };
        due.add(entry);
        return { cancel: () => void due.delete(entry) };
      },
    },
  };
  return {
    env,
    advance(ms) {
      const end = nowMs + ms;
      for (;;) {
        const next = [...due]
          .filter((entry) => entry.atMs <= end)
          .sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        due.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = end;
    },
  };
}
