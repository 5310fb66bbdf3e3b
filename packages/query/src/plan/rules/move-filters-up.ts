import type { Pipeline, PlanNode } from '../node.ts';
import { isMovable } from '../rewrite.ts';
import type { Rule } from '../rule.ts';
import { definitionsOf, variablesOf } from '../variables.ts';

/**
 * A filter is tried as soon as its variables are known: before later loops, sorts and computations.
 * It never moves across what depends on the number of rows or has effects.
 */
export const moveFiltersUp: Rule = {
  name: 'move-filters-up',
  apply(pipeline) {
    const out: PlanNode[] = [];
    let changed = false;
    for (const node of pipeline) {
      const place =
        node.type === 'filter' && isMovable(node.condition) ? placeOf(node, out) : out.length;
      changed ||= place < out.length;
      out.splice(place, 0, node);
    }
    return changed ? out : pipeline;
  },
};

/** Before the first node it can cross; filters do not change places among themselves. */
function placeOf(node: Extract<PlanNode, { type: 'filter' }>, before: Pipeline): number {
  const needed = variablesOf(node.condition);
  let place = before.length;
  for (let i = before.length - 1; i >= 0; i--) {
    const previous = before[i]!;
    if (previous.type === 'filter') continue;
    if (!isCrossable(previous)) break;
    if (definitionsOf(previous).some((name) => needed.has(name))) break;
    place = i;
  }
  return place;
}

function isCrossable(node: PlanNode): boolean {
  switch (node.type) {
    case 'scan':
    case 'enumerate':
    case 'count':
    case 'lookup':
      return true;
    case 'let':
      return isMovable(node.value);
    case 'sort':
      return node.top === undefined && node.keys.every((key) => isMovable(key.expression));
    case 'subquery':
      return !node.modifies;
    default:
      return false;
  }
}
