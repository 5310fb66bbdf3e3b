import { assert } from '@themisdb/base';
import type { Anomaly, AnomalyName } from './anomaly.ts';
import { cyclicComponents } from './components.ts';
import { makeAnomaly } from './describe.ts';
import type { Edge } from './edges.ts';
import type { Transaction } from './transaction.ts';

/** Nodes of a component from which the shortest cycle is looked for. */
const STARTS_MAX = 100;

interface Stage {
  readonly name: AnomalyName;
  readonly types: readonly Edge['type'][];
  /** Only cycles in which no `rw` edge follows another. */
  readonly isNonadjacent?: true;
}

/** From the worst to the mildest; each sees all edges that those before it saw. */
const stages: readonly Stage[] = [
  { name: 'G0', types: ['ww'] },
  { name: 'G1c', types: ['ww', 'wr'] },
  { name: 'G-nonadjacent', types: ['ww', 'wr', 'rw'], isNonadjacent: true },
  { name: 'G2', types: ['ww', 'wr', 'rw'] },
  { name: 'G0-realtime', types: ['ww', 'rt'] },
  { name: 'G1c-realtime', types: ['ww', 'wr', 'rt'] },
  { name: 'G-nonadjacent-realtime', types: ['ww', 'wr', 'rw', 'rt'], isNonadjacent: true },
  { name: 'G2-realtime', types: ['ww', 'wr', 'rw', 'rt'] },
];

/**
 * The cycles of the graph: for each strongly connected part one short cycle of the worst kind in it.
 * `known` are pairs of transactions whose cycle was reported already. Whether a kind of cycle exists
 * is decided exactly; which one is shown is a matter of luck in large components.
 */
export function findCycles(
  transactions: readonly Transaction[],
  edges: readonly Edge[],
  known: readonly (readonly number[])[],
): Anomaly[] {
  const count = transactions.length;
  if (cyclicComponents(makeGraph(count, edges).map(targets)).length === 0) return [];
  const reported: (readonly number[])[] = [];
  const out: Anomaly[] = [];
  for (const stage of stages) {
    const kept = edges.filter(({ type }) => stage.types.includes(type));
    const isDone = (members: ReadonlySet<number>): boolean =>
      [...reported, ...(stage.types.includes('rw') ? known : [])].some((cycle) =>
        cycle.every((node) => members.has(node)),
      );
    for (const cycle of cyclesOf(count, kept, stage, isDone)) {
      reported.push(cycle.map(({ from }) => from));
      out.push(describeCycle(stage, cycle, transactions));
    }
  }
  return out;
}

function cyclesOf(
  count: number,
  edges: readonly Edge[],
  { isNonadjacent }: Stage,
  isDone: (members: ReadonlySet<number>) => boolean,
): Edge[][] {
  const graph = isNonadjacent ? makeNonadjacentGraph(count, edges) : makeGraph(count, edges);
  return cyclicComponents(graph.map(targets)).flatMap((component) => {
    const members = new Set(component.map((node) => node % count));
    return isDone(members) ? [] : [shortestCycle(graph, component)];
  });
}

interface Link {
  readonly to: number;
  readonly edge: Edge;
}

type Graph = readonly (readonly Link[])[];

const targets = (links: readonly Link[]): number[] => links.map(({ to }) => to);

function makeGraph(count: number, edges: readonly Edge[]): Graph {
  const graph = Array.from({ length: count }, (): Link[] => []);
  for (const edge of edges) graph[edge.from]!.push({ to: edge.to, edge });
  return graph;
}

/**
 * Each transaction twice: as it is reached by any other edge, and (plus `count`) as it is reached by
 * `rw`, from where no `rw` goes on. Its cycles are the walks in which no `rw` follows another: what
 * snapshot isolation forbids (Cerone and Gotsman, "Analysing snapshot isolation", PODC 2016).
 */
function makeNonadjacentGraph(count: number, edges: readonly Edge[]): Graph {
  const graph = Array.from({ length: 2 * count }, (): Link[] => []);
  for (const edge of edges) {
    const { from, to } = edge;
    if (edge.type === 'rw') graph[from]!.push({ to: to + count, edge });
    else {
      graph[from]!.push({ to, edge });
      graph[from + count]!.push({ to, edge });
    }
  }
  return graph;
}

function shortestCycle(graph: Graph, component: readonly number[]): Edge[] {
  const members = new Set(component);
  let best: Edge[] | undefined;
  for (const start of [...component].sort((a, b) => a - b).slice(0, STARTS_MAX)) {
    const cycle = cycleThrough(graph, start, members);
    if (best === undefined || cycle.length < best.length) best = cycle;
  }
  assert(best !== undefined, 'a component has members');
  return best;
}

/** Breadth first from `start` back to it, within its component. */
function cycleThrough(graph: Graph, start: number, members: ReadonlySet<number>): Edge[] {
  const cameBy = new Map<number, { from: number; edge: Edge }>();
  const queue = [start];
  for (const node of queue) {
    for (const { to, edge } of graph[node]!) {
      if (!members.has(to) || cameBy.has(to)) continue;
      cameBy.set(to, { from: node, edge });
      if (to === start) return pathTo(start, cameBy);
      queue.push(to);
    }
  }
  assert(false, 'every node of a component is on a cycle');
}

function pathTo(start: number, cameBy: ReadonlyMap<number, { from: number; edge: Edge }>): Edge[] {
  const path: Edge[] = [];
  for (let node = start; path.length === 0 || node !== start;) {
    const { from, edge } = cameBy.get(node)!;
    path.unshift(edge);
    node = from;
  }
  return path;
}

function describeCycle(
  stage: Stage,
  cycle: readonly Edge[],
  transactions: readonly Transaction[],
): Anomaly {
  const label = (node: number): string => `T${1 + cycle.findIndex(({ from }) => from === node)}`;
  const facts = cycle.map(({ from, to, type, why }) => {
    return `${label(from)} -${type}-> ${label(to)}: ${why(label(from), label(to))}`;
  });
  const members = cycle.map(({ from }) => transactions[from]!);
  const isSingle = stage.isNonadjacent && cycle.filter(({ type }) => type === 'rw').length === 1;
  const name = isSingle ? stage.name.replace('nonadjacent', 'single') : stage.name;
  return makeAnomaly(name as AnomalyName, members, facts);
}
