import { Group } from './group.ts';

/** One figure of either side, in events per second of processor time. */
export interface Figure {
  readonly name: string;
  readonly perSecond: number;
}

const ENTRY_BYTES = 256;
const ROUNDS = 5;

/** The workloads; `library/main.go` does the same with the same names. */
export function measureCore(): Figure[] {
  const commits = (inFlight: number, count: number): Sample => {
    const group = new Group();
    const data = new Uint8Array(ENTRY_BYTES).fill(7);
    return sample(() => {
      const before = group.steps;
      for (let done = 0; done < count; done += inFlight) group.propose(data, inFlight);
      return { events: count, steps: group.steps - before };
    });
  };
  const one = commits(1, 50_000);
  const many = commits(64, 256_000);
  const group = new Group();
  const heartbeats = sample(() => {
    const before = group.steps;
    for (let i = 0; i < 50_000; i++) group.tick();
    return { events: 50_000, steps: group.steps - before };
  });
  return [
    { name: 'commits, one at a time', perSecond: one.eventsPerSecond },
    { name: 'commits, 64 in flight', perSecond: many.eventsPerSecond },
    { name: 'steps, committing one at a time', perSecond: one.stepsPerSecond },
    { name: 'steps, heartbeats', perSecond: heartbeats.stepsPerSecond },
  ];
}

interface Sample {
  readonly eventsPerSecond: number;
  readonly stepsPerSecond: number;
}

/**
 * The median of some rounds, after one to warm up. Counted is the processor time of the whole process,
 * garbage collection on other threads included, so that figures hold on a machine that is busy.
 */
function sample(round: () => { events: number; steps: number }): Sample {
  round();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const started = process.cpuUsage();
    const { events, steps } = round();
    const { user, system } = process.cpuUsage(started);
    const seconds = (user + system) / 1e6;
    return { eventsPerSecond: events / seconds, stepsPerSecond: steps / seconds };
  });
  rounds.sort((a, b) => a.eventsPerSecond - b.eventsPerSecond);
  return rounds[Math.floor(ROUNDS / 2)]!;
}
