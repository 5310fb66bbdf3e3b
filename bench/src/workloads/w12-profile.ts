import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSecondsOf, mainThreadCpuSecondsOf } from '@themisdb/testing/server-process';
import { monotonicMicros, timeByPart, waiting, type TimeByPart } from '../cpu-profile.ts';
import { buildLoadProgram, runLoad } from '../load-program.ts';
import { startThemisCluster } from '../themis-cluster.ts';
import type { ClusterWorkload, Result } from '../workload.ts';

const size = 256;
const clients = 64;

/** What the leader and the followers spend on a write of W12, at 64 clients that write at the leader. */
export const w12Profile: ClusterWorkload = {
  name: 'W12-profile',
  title: `processor time of a quorum-durable write of ${size} bytes, ${clients} clients at the leader`,
  async runClusters(context) {
    const reason = buildLoadProgram();
    if (reason !== undefined) {
      console.log(`  skipped: ${reason}`);
      return [];
    }
    const folder = join(context.folder, 'w12-profile');
    const profiles = (node: number): string => join(folder, `profile${node + 1}`);
    for (let node = 0; node < context.nodes; node++) mkdirSync(profiles(node), { recursive: true });
    const flags = (node: number): string[] => ['--cpu-prof', `--cpu-prof-dir=${profiles(node)}`];
    const cluster = await startThemisCluster(folder, context.nodes, flags);
    let load;
    let leader: number;
    try {
      const leading = await cluster.leader();
      leader = cluster.nodes.indexOf(leading);
      await cluster.createCollection('w12');
      const cpu = (): Cpu[] =>
        cluster.nodes.map(({ pid }) => ({
          all: cpuSecondsOf(pid!),
          main: mainThreadCpuSecondsOf(pid!),
        }));
      const endpoints = [leading.url.replace('http://', '')];
      // The first seconds are those of a compiler at work.
      await runLoad({ target: 'themis', endpoints, clients, seconds: 3, size });
      const [from, before] = [monotonicMicros(), cpu()];
      const report = await runLoad({
        target: 'themis',
        endpoints,
        clients,
        seconds: context.seconds,
        size,
      });
      load = {
        window: { from, to: monotonicMicros() },
        before,
        after: cpu(),
        writes: report.allWrites,
      };
    } finally {
      await cluster.stop();
    }
    const { window, before, after, writes } = load;
    const nodes = cluster.nodes.map((_, node) => {
      const [file] = readdirSync(profiles(node));
      return {
        parts: timeByPart(join(profiles(node), file!), window),
        allMicros: (after[node]!.all - before[node]!.all) * 1e6,
        mainMicros: (after[node]!.main - before[node]!.main) * 1e6,
      };
    });
    return [
      ...resultsOf('leader', [nodes[leader]!], writes),
      ...resultsOf(
        'followers, each',
        nodes.filter((_, node) => node !== leader),
        writes,
      ),
    ];
  },
};

/** Seconds. */
interface Cpu {
  readonly all: number;
  readonly main: number;
}

interface NodeTimes {
  readonly parts: TimeByPart;
  /** Processor time of all threads, and of the main one. */
  readonly allMicros: number;
  readonly mainMicros: number;
}

function resultsOf(who: string, nodes: readonly NodeTimes[], writes: number): Result[] {
  if (nodes.length === 0) return [];
  const line = (part: string, micros: number): Result => ({
    workload: 'W12-profile',
    system: 'ThemisDB',
    what: `${who}: ${part}`,
    value: micros / nodes.length / writes,
    unit: 'µs/write',
  });
  const all = nodes.reduce((sum, { allMicros }) => sum + allMicros, 0);
  const main = nodes.reduce((sum, { mainMicros }) => sum + mainMicros, 0);
  return [
    line('all threads', all),
    line('the main thread', main),
    ...[...sumOf(nodes)]
      .sort(([, a], [, b]) => b - a)
      .map(([part, micros]) => line(`of the main thread, ${part}`, micros)),
  ];
}

/** The processor time of the main threads, divided as the samples say. */
function sumOf(nodes: readonly NodeTimes[]): TimeByPart {
  const sums = new Map<string, number>();
  for (const { parts, mainMicros } of nodes) {
    const working = [...parts].filter(([part]) => part !== waiting);
    const sampled = working.reduce((sum, [, micros]) => sum + micros, 0);
    for (const [part, micros] of working)
      sums.set(part, (sums.get(part) ?? 0) + (micros / sampled) * mainMicros);
  }
  return sums;
}
