import type { Pipeline, PlanNode } from '../node.ts';
import { isMovable } from '../rewrite.ts';
import type { Rule } from '../rule.ts';
import { expressionsOf, nestedOf, variablesOfPipeline } from '../variables.ts';

/** A subquery that uses nothing of the rows around it is run once, when first needed. */
export const evaluateSubqueriesOnce: Rule = {
  name: 'evaluate-subqueries-once',
  apply(pipeline) {
    let changed = false;
    const out = pipeline.map((node): PlanNode => {
      if (node.type !== 'subquery' || node.once || node.modifies) return node;
      const used = [...variablesOfPipeline(node.body)];
      if (!used.every((name) => name.startsWith('@')) || !isRepeatable(node.body)) return node;
      changed = true;
      return { ...node, once: true };
    });
    return changed ? out : pipeline;
  },
};

/** No random numbers and the like in it, so that one result stands for all. */
function isRepeatable(pipeline: Pipeline): boolean {
  return pipeline.every(
    (node) => expressionsOf(node).every(isMovable) && nestedOf(node).every(isRepeatable),
  );
}
