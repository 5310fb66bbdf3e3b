import { foldConstants } from '../../expression/index.ts';
import { mapExpressions } from '../rewrite.ts';
import type { Rule } from '../rule.ts';

/** Computes what does not depend on rows or parameters. */
export const foldConstantParts: Rule = {
  name: 'fold-constants',
  apply(pipeline) {
    let changed = false;
    const out = pipeline.map((node) =>
      mapExpressions(node, (expression) => {
        // A range that is enumerated never becomes an array.
        if (node.type === 'enumerate' && expression.type === 'Range') return expression;
        const simpler = foldConstants(expression, { bind: () => undefined });
        changed ||= !sameShape(simpler, expression);
        return simpler;
      }),
    );
    return changed ? out : pipeline;
  },
};

/** foldConstants copies nodes also where it changes nothing. */
function sameShape(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = Object.entries(a);
  return (
    left.length === Object.keys(b).length &&
    left.every(([name, value]) => sameShape(value, (b as Record<string, unknown>)[name]))
  );
}
