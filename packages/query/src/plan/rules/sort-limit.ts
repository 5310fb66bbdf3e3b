import type { Expression } from '@themisdb/aql';
import type { LimitNode, PlanNode } from '../node.ts';
import type { Rule } from '../rule.ts';

/** SORT before LIMIT keeps only as many rows as the LIMIT lets pass. */
export const sortLimit: Rule = {
  name: 'sort-limit',
  apply(pipeline) {
    let changed = false;
    const out = pipeline.map((node, i): PlanNode => {
      if (node.type !== 'sort' || node.top !== undefined) return node;
      const limit = limitAfter(pipeline.slice(i + 1));
      if (limit === undefined) return node;
      changed = true;
      return { ...node, top: rowsWanted(limit) };
    });
    return changed ? out : pipeline;
  },
};

/** The LIMIT that the rows reach one for one. */
export function limitAfter(rest: readonly PlanNode[]): LimitNode | undefined {
  for (const node of rest) {
    if (node.type === 'limit') return node.fullCount ? undefined : node;
    const passesAll = node.type === 'let' || node.type === 'lookup' || node.type === 'count';
    if (!passesAll && !(node.type === 'subquery' && !node.modifies)) return undefined;
  }
  return undefined;
}

/** offset + count. */
export function rowsWanted({ offset, count }: LimitNode): Expression {
  if (offset === undefined) return count;
  const { span } = count;
  if (offset.type === 'Number' && count.type === 'Number') {
    return { type: 'Number', span, value: offset.value + count.value };
  }
  return { type: 'Binary', span, operator: '+', left: offset, right: count };
}
