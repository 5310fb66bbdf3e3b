import { children, type Expression, type Node } from '@themisdb/aql';
import { isConstant } from '../../expression/index.ts';
import { asAccess } from '../attribute-access.ts';
import type { Pipeline } from '../node.ts';
import { mapPipeline, substitute } from '../rewrite.ts';
import type { Rule } from '../rule.ts';
import { variablesOfPipeline } from '../variables.ts';

/**
 * A LET that only names an attribute, a variable or a constant is written out where it is used, so
 * that later rules see `doc.age > 5` rather than a variable. The LET itself then is no longer used.
 */
export const inlineLets: Rule = {
  name: 'inline-lets',
  apply(pipeline) {
    let rest: Pipeline = pipeline;
    let changed = false;
    for (let i = 0; i < rest.length; i++) {
      const node = rest[i]!;
      if (node.type !== 'let' || !isPlain(node.value)) continue;
      const following = rest.slice(i + 1);
      if (!variablesOfPipeline(following).has(node.variable)) continue;
      const after = mapPipeline(following, (expression) =>
        substitute(expression, node.variable, node.value),
      );
      rest = [...rest.slice(0, i + 1), ...after];
      changed = true;
    }
    return changed ? rest : pipeline;
  },
};

/** Cheap to compute again, and the same wherever it is computed. */
export function isPlain(value: Expression): boolean {
  switch (value.type) {
    case 'Null':
    case 'Boolean':
    case 'Number':
    case 'String':
      return true;
    case 'Array':
    case 'Object':
      return isConstant(value) && countNodes(value, partsMax) < partsMax;
    default:
      return asAccess(value) !== undefined;
  }
}

/** A constant of more parts stays where it is: written out twice and again, it would grow without end. */
const partsMax = 200;

function countNodes(node: Node, most: number): number {
  let count = 1;
  for (const part of children(node)) {
    if (count >= most) break;
    count += countNodes(part, most - count);
  }
  return count;
}
