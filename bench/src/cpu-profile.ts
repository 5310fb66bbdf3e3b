import { readFileSync } from 'node:fs';

/** Processor time of one main thread by what spent it, in microseconds. */
export type TimeByPart = ReadonlyMap<string, number>;

export const waiting = 'waiting';

/** Native code below no function: the event loop, epoll, callbacks on their way in. */
const eventLoop = 'Node: event loop';

/** What `node --cpu-prof` writes: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
interface CpuProfile {
  /** Microseconds of the monotonic clock, the one of `process.hrtime`. */
  readonly startTime: number;
  readonly nodes: readonly ProfileNode[];
  /** Ids of nodes. */
  readonly samples: readonly number[];
  /** Microseconds between a sample and the one before it. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  /** Ids. */
  readonly children?: readonly number[];
}

export interface Window {
  /** Microseconds of the monotonic clock. */
  readonly from: number;
  readonly to: number;
}

export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * Self time within the window, summed by part: a package of ours, or what of Node it is. It is time of the
 * clock: where threads wait for processors, only the proportions mean something.
 */
export function timeByPart(path: string, window: Window): TimeByPart {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
  const parts = partsOf(profile);
  const times = new Map<string, number>();
  let now = profile.startTime;
  // A sample stands for the time until the next one.
  profile.samples.forEach((id, n) => {
    now += profile.timeDeltas[n]!;
    const time = profile.timeDeltas[n + 1] ?? 0;
    if (now < window.from || now > window.to) return;
    const part = parts.get(id)!;
    times.set(part, (times.get(part) ?? 0) + time);
  });
  return times;
}

/** The part of each node. Built-in and native functions count to who called them. */
function partsOf({ nodes }: CpuProfile): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, string>();
  const mark = (node: ProfileNode, ofCaller: string): void => {
    const part = partOf(node) ?? ofCaller;
    parts.set(node.id, part);
    for (const id of node.children ?? []) mark(byId.get(id)!, part);
  };
  mark(nodes[0]!, eventLoop);
  return parts;
}

function partOf({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  if (functionName === '(idle)') return waiting;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)' || functionName === '(root)') return eventLoop;
  if (url === '') return undefined;
  const ours = /\/packages\/([^/]+)\//.exec(url);
  if (ours !== null) return ours[1]!;
  if (url.includes('/node_modules/')) return 'binding of RocksDB';
  if (/^node:(_http|internal\/http)/.test(url)) return 'Node: HTTP';
  if (/^node:(net|internal\/(streams?|net|js_stream)|internal\/stream_base)/.test(url)) {
    return 'Node: sockets and streams';
  }
  return 'Node: the rest';
}
