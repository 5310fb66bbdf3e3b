import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { cyclicComponents } from './components.ts';

const SEED = 20_260_105;

test('nodes without a cycle are no component', () => {
  expect(cyclicComponents([[1, 2], [2], []])).toEqual([]);
});

test('a path of a hundred thousand nodes overflows nothing', () => {
  const size = 100_000;
  const ring = Array.from({ length: size }, (_, at) => [(at + 1) % size]);
  expect(cyclicComponents(ring).map(({ length }) => length)).toEqual([size]);
});

test(`two nodes are in one component if each reaches the other, seed ${SEED}`, () => {
  const prng = new Prng(SEED);
  for (let round = 0; round < 500; round++) {
    const size = prng.between(2, 12);
    const graph = Array.from({ length: size }, (_, at) =>
      Array.from({ length: prng.below(3) }, () => prng.below(size)).filter((to) => to !== at),
    );
    const componentOf = new Map(
      cyclicComponents(graph).flatMap((nodes, number) => nodes.map((node) => [node, number])),
    );
    const reach = graph.map((_, at) => reachableFrom(graph, at));
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < a; b++) {
        const isOne = reach[a]!.has(b) && reach[b]!.has(a);
        const isFound = componentOf.has(a) && componentOf.get(a) === componentOf.get(b);
        if (isOne !== isFound) expect({ graph, a, b, isOne }).toBeUndefined();
      }
    }
  }
});

function reachableFrom(graph: readonly (readonly number[])[], start: number): Set<number> {
  const reached = new Set(graph[start]);
  for (const node of reached) for (const to of graph[node]!) reached.add(to);
  return reached;
}
