import type { Expression } from '@themisdb/aql';
import { eachAccess } from '../attribute-access.ts';
import type { Pipeline, PlanNode, Projection, ScanNode } from '../node.ts';
import type { Rule } from '../rule.ts';
import { expressionsOf, nestedOf } from '../variables.ts';

/**
 * A scan hands on only the attributes that the rest of the query uses, read out of the encoded record;
 * the whole document only where it is used as a whole, and only for rows that pass the filters.
 */
export const reduceExtractionToProjection: Rule = {
  name: 'reduce-extraction-to-projection',
  apply(pipeline) {
    if (!pipeline.some((node) => node.type === 'scan')) return pipeline;
    return pipeline.map((node, i) =>
      node.type === 'scan' ? withOutput(node, pipeline.slice(i + 1)) : node,
    );
  },
};

/** The attributes of one variable that some expressions use. */
class Usage {
  readonly #variable: string;
  whole = false;
  readonly paths: (readonly string[])[] = [];

  constructor(variable: string) {
    this.#variable = variable;
  }

  addNode(node: PlanNode): void {
    for (const expression of expressionsOf(node)) this.add(expression);
    for (const pipeline of nestedOf(node)) pipeline.forEach((inner) => this.addNode(inner));
  }

  add(expression: Expression): void {
    eachAccess(expression, ({ variable, steps }) => {
      if (variable !== this.#variable) return;
      if (steps.length === 0) this.whole = true;
      else this.paths.push(steps);
    });
  }
}

function withOutput(node: ScanNode, rest: Pipeline): ScanNode {
  const early = new Usage(node.variable);
  for (const filter of node.filters) early.add(filter);
  if (node.access.type === 'hash') {
    for (const filter of node.access.buildFilters) early.add(filter);
    for (const key of node.access.keys) early.add(key.inner);
  }
  const late = new Usage(node.variable);
  for (const later of rest) late.addNode(later);
  if (early.whole) return { ...node, output: { document: 'early', projections: [] } };
  const earlyPaths = shortest(early.paths);
  const latePaths = late.whole ? [] : shortest(late.paths).filter((p) => !hasPrefix(earlyPaths, p));
  const projections = [
    ...earlyPaths.map((steps): Projection => ({ steps, early: true })),
    ...latePaths.map((steps): Projection => ({ steps, early: false })),
  ];
  return { ...node, output: { document: late.whole ? 'late' : 'none', projections } };
}

/** Without doubles, and without paths that go on where another one ends. */
function shortest(paths: readonly (readonly string[])[]): (readonly string[])[] {
  const sorted = [...paths].sort((a, b) => a.length - b.length);
  const out: (readonly string[])[] = [];
  for (const path of sorted) if (!hasPrefix(out, path)) out.push(path);
  return out;
}

function hasPrefix(paths: readonly (readonly string[])[], path: readonly string[]): boolean {
  return paths.some(
    (other) => other.length <= path.length && other.every((step, i) => step === path[i]),
  );
}
