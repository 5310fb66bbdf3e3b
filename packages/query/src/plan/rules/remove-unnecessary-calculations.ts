import type { PlanNode } from '../node.ts';
import { isMovable } from '../rewrite.ts';
import type { Rule } from '../rule.ts';
import { expressionsOf, variablesOfPipeline } from '../variables.ts';

/** What no later node uses is not computed, unless computing it is an effect. */
export const removeUnnecessaryCalculations: Rule = {
  name: 'remove-unnecessary-calculations',
  apply(pipeline) {
    let changed = false;
    const kept: PlanNode[] = [];
    // From the end, so that what only an unused value used goes as well.
    for (const node of [...pipeline].reverse()) {
      const rewritten = withoutUnused(node, kept);
      changed ||= rewritten !== node;
      if (rewritten !== undefined) kept.unshift(rewritten);
    }
    return changed ? kept : pipeline;
  },
};

function withoutUnused(node: PlanNode, rest: readonly PlanNode[]): PlanNode | undefined {
  switch (node.type) {
    case 'let':
      return isUsed(node.variable, rest) || !isMovable(node.value) ? node : undefined;
    case 'subquery':
      return isUsed(node.variable, rest) || !isPure(node) ? node : undefined;
    case 'lookup':
    case 'count':
      return isUsed(node.variable, rest) ? node : undefined;
    case 'modify': {
      const oldUsed = isUsed(node.old, rest);
      const newUsed = isUsed(node.new, rest);
      if (oldUsed === node.oldUsed && newUsed === node.newUsed) return node;
      return { ...node, oldUsed, newUsed };
    }
    case 'collect': {
      const aggregates = node.aggregates.filter(
        (entry) => isUsed(entry.variable, rest) || !isMovable(entry.argument),
      );
      const into = node.into && isUsed(node.into.variable, rest) ? node.into : undefined;
      const isOneRow = node.groups.length === 0 && aggregates.length === 0;
      if (isOneRow && node.count === undefined) return node;
      if (aggregates.length === node.aggregates.length && into === node.into) return node;
      return { ...node, aggregates, into };
    }
    default:
      return node;
  }
}

function isUsed(variable: string, rest: readonly PlanNode[]): boolean {
  return variablesOfPipeline(rest).has(variable);
}

/** Whether running it or not makes no difference but for its result. */
function isPure(node: Extract<PlanNode, { type: 'subquery' }>): boolean {
  return !node.modifies && node.body.every(isPureNode);
}

function isPureNode(node: PlanNode): boolean {
  return node.type === 'subquery' ? isPure(node) : expressionsOf(node).every(isMovable);
}
