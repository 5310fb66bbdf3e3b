import type { PlanNode, ScanNode } from '../node.ts';
import type { Rule } from '../rule.ts';
import { shortestPaths, Usage } from '../usage.ts';
import { earlyUsage, projections } from './reduce-extraction-to-projection.ts';
import { limitAfter } from './sort-limit.ts';

/**
 * Where a SORT with LIMIT drops most rows and only what follows uses whole documents, the scan hands on
 * encoded records, which are decoded after the LIMIT.
 */
export const lateDocumentMaterialization: Rule = {
  name: 'late-document-materialization',
  apply(pipeline, context) {
    const sort = pipeline.findIndex((node) => node.type === 'sort' && node.top !== undefined);
    const limit = pipeline.indexOf(limitAfter(pipeline.slice(sort + 1))!);
    if (sort < 0 || limit < 0) return pipeline;
    const before = pipeline.slice(0, limit + 1);
    const after = pipeline.slice(limit + 1);
    const decoded: PlanNode[] = [];
    const rewritten = before.map((node, i): PlanNode => {
      if (node.type !== 'scan' || !canWait(node)) return node;
      const between = Usage.of(node.variable, before.slice(i + 1));
      if (i > sort || between.whole || !Usage.of(node.variable, after).whole) return node;
      decoded.push({ type: 'materialise', id: context.id(), variable: node.variable });
      const early = shortestPaths(earlyUsage(node).paths);
      const output = {
        document: 'record',
        projections: projections(early, between.paths),
      } as const;
      return { ...node, output };
    });
    return decoded.length === 0 ? pipeline : [...rewritten, ...decoded, ...after];
  },
};

function canWait({ output, access }: ScanNode): boolean {
  return output.document === 'late' && access.type !== 'hash';
}
