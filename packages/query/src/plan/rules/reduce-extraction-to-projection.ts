import type { Pipeline, Projection, ScanNode, ScanOutput } from '../node.ts';
import type { Rule } from '../rule.ts';
import { hasPrefix, shortestPaths, Usage } from '../usage.ts';

/**
 * A scan hands on only the attributes that the rest of the query uses, read out of the encoded record;
 * the whole document only where it is used as a whole, and only for rows that pass the filters.
 */
export const reduceExtractionToProjection: Rule = {
  name: 'reduce-extraction-to-projection',
  apply(pipeline) {
    if (!pipeline.some((node) => node.type === 'scan')) return pipeline;
    return pipeline.map((node, i) =>
      node.type === 'scan' ? { ...node, output: outputOf(node, pipeline.slice(i + 1)) } : node,
    );
  },
};

function outputOf(node: ScanNode, rest: Pipeline): ScanOutput {
  const early = earlyUsage(node);
  if (early.whole) return { document: 'early', projections: [] };
  const late = Usage.of(node.variable, rest);
  const earlyPaths = shortestPaths(early.paths);
  if (late.whole) return { document: 'late', projections: projections(earlyPaths, []) };
  return { document: 'none', projections: projections(earlyPaths, late.paths) };
}

/** What the scan's own filters and keys need. */
export function earlyUsage(node: ScanNode): Usage {
  const usage = new Usage(node.variable);
  for (const filter of node.filters) usage.add(filter);
  if (node.access.type === 'hash') {
    for (const filter of node.access.buildFilters) usage.add(filter);
    for (const key of node.access.keys) usage.add(key.inner);
  }
  return usage;
}

export function projections(
  early: readonly (readonly string[])[],
  late: readonly (readonly string[])[],
): Projection[] {
  const others = shortestPaths(late).filter((path) => !hasPrefix(early, path));
  return [
    ...early.map((steps): Projection => ({ steps, early: true })),
    ...others.map((steps): Projection => ({ steps, early: false })),
  ];
}
