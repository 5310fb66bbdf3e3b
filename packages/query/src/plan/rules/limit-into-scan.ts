import type { PlanNode, ScanNode } from '../node.ts';
import type { Rule } from '../rule.ts';
import { limitAfter, rowsWanted } from './sort-limit.ts';

/** A scan whose rows go to a LIMIT as they are reads no more than it lets pass. */
export const limitIntoScan: Rule = {
  name: 'limit-into-scan',
  apply(pipeline) {
    let changed = false;
    const out = pipeline.map((node, i): PlanNode => {
      if (!canStop(node)) return node;
      const limit = limitAfter(pipeline.slice(i + 1));
      if (limit === undefined) return node;
      changed = true;
      return { ...node, limit: rowsWanted(limit) };
    });
    return changed ? out : pipeline;
  },
};

function canStop(node: PlanNode): node is ScanNode {
  if (node.type !== 'scan' || node.limit !== undefined) return false;
  return node.access.type === 'full' || node.access.type === 'index';
}
