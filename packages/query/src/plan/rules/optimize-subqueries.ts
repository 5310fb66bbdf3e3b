import type { Expression } from '@themisdb/aql';
import { mapOperands } from '../../expression/map-node.ts';
import type { Pipeline, PlanNode, ReturnNode, SubqueryNode } from '../node.ts';
import { countUses, isMovable } from '../rewrite.ts';
import type { Rule } from '../rule.ts';
import { expressionsOf, nestedOf } from '../variables.ts';

/**
 * A subquery that is only counted need not compute its results; one of which only the first result is
 * used stops after it.
 */
export const optimizeSubqueries: Rule = {
  name: 'optimize-subqueries',
  apply(pipeline, context) {
    let changed = false;
    const out = pipeline.map((node, i): PlanNode => {
      if (node.type !== 'subquery' || node.modifies) return node;
      const last = node.body.at(-1);
      if (last?.type !== 'return' || last.distinct) return node;
      const rest = pipeline.slice(i + 1);
      const rewritten = onlyIn(['LENGTH', 'COUNT'], node.variable, rest)
        ? counted(node, last)
        : onlyIn(['FIRST'], node.variable, rest)
          ? withLimit(node, last, context.id())
          : node;
      changed ||= rewritten !== node;
      return rewritten;
    });
    return changed ? out : pipeline;
  },
};

function counted(node: SubqueryNode, last: ReturnNode): SubqueryNode {
  if (last.value.type === 'Boolean' || !isMovable(last.value)) return node;
  const value = { type: 'Boolean', span: last.value.span, value: true } as const;
  return { ...node, body: [...node.body.slice(0, -1), { ...last, value }] };
}

function withLimit(node: SubqueryNode, last: ReturnNode, id: number): SubqueryNode {
  const before = node.body.slice(0, -1);
  if (before.at(-1)?.type === 'limit' || !before.some(isLoop)) return node;
  const count = { type: 'Number', span: last.value.span, value: 1 } as const;
  const limit: PlanNode = { type: 'limit', id, offset: undefined, count, fullCount: false };
  return { ...node, body: [...before, limit, last] };
}

function isLoop(node: PlanNode): boolean {
  return node.type === 'scan' || node.type === 'enumerate';
}

/** Whether a variable is used, and only as the one argument of these functions. */
function onlyIn(names: readonly string[], variable: string, rest: Pipeline): boolean {
  let uses = 0;
  let calls = 0;
  const visit = (part: Expression): Expression => {
    const [argument] = part.type === 'FunctionCall' ? part.arguments : [];
    if (part.type === 'FunctionCall' && names.includes(part.name) && part.arguments.length === 1) {
      if (argument?.type === 'Reference' && argument.name === variable) calls++;
    }
    return mapOperands(part, visit);
  };
  const visitAll = (pipeline: Pipeline): void => {
    for (const node of pipeline) {
      for (const expression of expressionsOf(node)) {
        uses += countUses(expression, variable);
        visit(expression);
      }
      nestedOf(node).forEach(visitAll);
    }
  };
  visitAll(rest);
  return calls > 0 && calls === uses;
}
