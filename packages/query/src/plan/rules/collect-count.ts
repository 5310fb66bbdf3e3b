import type { CollectNode, PlanNode } from '../node.ts';
import type { Rule } from '../rule.ts';

/** Counting rows without groups needs no groups; counting a whole collection needs no rows. */
export const collectCount: Rule = {
  name: 'optimize-count',
  apply(pipeline, context) {
    const at = pipeline.findIndex(
      (node) => node.type === 'collect' && countOnly(node) !== undefined,
    );
    if (at < 0) return pipeline;
    const node = pipeline[at] as CollectNode;
    const variable = countOnly(node)!;
    const [source] = pipeline;
    if (at === 1 && source?.type === 'scan' && isWhole(source)) {
      const { collection } = source;
      const count: PlanNode = { type: 'count', id: context.id(), variable, collection };
      return [count, ...pipeline.slice(2)];
    }
    if (node.method === 'count') return pipeline;
    const counting: CollectNode = { ...node, aggregates: [], count: variable, method: 'count' };
    return [...pipeline.slice(0, at), counting, ...pipeline.slice(at + 1)];
  },
};

/** The variable of a COLLECT that gives nothing but the number of rows. */
function countOnly(node: CollectNode): string | undefined {
  if (node.groups.length > 0 || node.into !== undefined) return undefined;
  if (node.aggregates.length === 0) return node.count;
  const [only] = node.aggregates;
  const isCount = only!.function === 'LENGTH' || only!.function === 'COUNT';
  return node.aggregates.length === 1 && node.count === undefined && isCount
    ? only!.variable
    : undefined;
}

function isWhole(node: Extract<PlanNode, { type: 'scan' }>): boolean {
  return node.access.type === 'full' && node.filters.length === 0 && node.limit === undefined;
}
