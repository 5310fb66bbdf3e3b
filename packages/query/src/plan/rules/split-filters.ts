import type { Expression } from '@themisdb/aql';
import type { PlanNode } from '../node.ts';
import { conjuncts } from '../rewrite.ts';
import type { Rule } from '../rule.ts';

/** `FILTER a && b` becomes two filters, which later rules can move and use apart; true ones go. */
export const splitFilters: Rule = {
  name: 'split-filters',
  apply(pipeline, context) {
    let changed = false;
    const out = pipeline.flatMap((node): PlanNode[] => {
      if (node.type !== 'filter') return [node];
      const parts = conjuncts(node.condition).filter((part) => !isTrue(part));
      if (parts.length === 1 && parts[0] === node.condition) return [node];
      changed = true;
      return parts.map((condition) => ({ type: 'filter', id: context.id(), condition }));
    });
    return changed ? out : pipeline;
  },
};

function isTrue(condition: Expression): boolean {
  return condition.type === 'Boolean' && condition.value;
}
