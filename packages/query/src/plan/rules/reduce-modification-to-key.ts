import type { Pipeline, PlanNode } from '../node.ts';
import type { Rule } from '../rule.ts';

/**
 * `UPDATE doc WITH …` and `REMOVE doc`, where `doc` comes from a scan, need its key only, so that the
 * scan need not read whole documents. Not with `ignoreRevs: false`, which looks at `_rev` as well.
 */
export const reduceModificationToKey: Rule = {
  name: 'reduce-modification-to-key',
  apply(pipeline) {
    let changed = false;
    const out = pipeline.map((node, i): PlanNode => {
      if (node.type !== 'modify' || node.key?.type !== 'Reference') return node;
      if (!node.options.ignoreRevs || !isScanned(node.key.name, pipeline.slice(0, i))) return node;
      changed = true;
      const key = { type: 'Member', span: node.key.span, object: node.key, name: '_key' } as const;
      return { ...node, key };
    });
    return changed ? out : pipeline;
  },
};

function isScanned(variable: string, before: Pipeline): boolean {
  return before.some((node) => node.type === 'scan' && node.variable === variable);
}
