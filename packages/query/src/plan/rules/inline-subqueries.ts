import type { Pipeline, PlanNode, ReturnNode, SubqueryNode } from '../node.ts';
import { countUses } from '../rewrite.ts';
import type { Rule } from '../rule.ts';
import { expressionsOf, nestedOf } from '../variables.ts';

/**
 * `FOR x IN (FOR … RETURN y)` runs the inner loops in place of the outer one, without the array
 * between them. Inner clauses that look at all their rows (SORT, LIMIT, COLLECT …) allow it only where
 * the subquery runs once.
 */
export const inlineSubqueries: Rule = {
  name: 'inline-subqueries',
  apply(pipeline, context) {
    let out: Pipeline = pipeline;
    for (let i = 0; i < out.length; i++) {
      const node = out[i]!;
      if (node.type !== 'enumerate' || node.list.type !== 'Reference') continue;
      const at = out.findIndex(
        (other) =>
          other.type === 'subquery' && other.variable === (node.list as { name: string }).name,
      );
      const subquery = out[at];
      if (subquery?.type !== 'subquery' || at > i) continue;
      if (!isInlinable(subquery, out, at, i)) continue;
      const body = subquery.body.slice(0, -1);
      const { value } = subquery.body.at(-1) as ReturnNode;
      const bound: PlanNode = { type: 'let', id: context.id(), variable: node.variable, value };
      out = [...out.slice(0, at), ...out.slice(at + 1, i), ...body, bound, ...out.slice(i + 1)];
      i = at - 1;
    }
    return out;
  },
};

function isInlinable(subquery: SubqueryNode, pipeline: Pipeline, at: number, use: number): boolean {
  const last = subquery.body.at(-1);
  if (subquery.modifies || last?.type !== 'return' || last.distinct) return false;
  if (usesOf(subquery.variable, pipeline) !== 1) return false;
  const runsOnce = pipeline.slice(0, use).every((node, i) => i === at || keepsOneRow(node));
  return runsOnce || subquery.body.every((node) => isRowByRow(node));
}

function usesOf(variable: string, pipeline: Pipeline): number {
  let uses = 0;
  for (const node of pipeline) {
    for (const expression of expressionsOf(node)) uses += countUses(expression, variable);
    for (const inner of nestedOf(node)) uses += usesOf(variable, inner);
  }
  return uses;
}

function keepsOneRow(node: PlanNode): boolean {
  return ['let', 'count', 'lookup', 'subquery', 'filter'].includes(node.type);
}

function isRowByRow(node: PlanNode): boolean {
  return ['scan', 'enumerate', 'filter', 'let', 'count', 'lookup', 'subquery', 'return'].includes(
    node.type,
  );
}
