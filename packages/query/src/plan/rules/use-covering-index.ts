import { coveredBy } from '../covering.ts';
import type { IndexAccess, PlanNode, ScanNode } from '../node.ts';
import type { Rule } from '../rule.ts';

/** When an index holds all that is used of the rows, the records themselves are not read. */
export const useCoveringIndex: Rule = {
  name: 'use-covering-index',
  apply(pipeline) {
    let changed = false;
    const out = pipeline.map((node): PlanNode => {
      if (node.type !== 'scan' || node.output.document !== 'none') return node;
      const rewritten = covering(node);
      changed ||= rewritten !== node;
      return rewritten;
    });
    return changed ? out : pipeline;
  },
};

function covering(node: ScanNode): ScanNode {
  const { access } = node;
  if (access.type === 'index' && isCovered(node, access)) {
    return { ...node, access: { ...access, covering: true } };
  }
  if (access.type === 'hash' && access.build.type === 'index' && isCovered(node, access.build)) {
    return { ...node, access: { ...access, build: { ...access.build, covering: true } } };
  }
  return node;
}

function isCovered(node: ScanNode, { ranges }: IndexAccess): boolean {
  const { index } = ranges[0]!;
  return (
    ranges.every((range) => range.index === index) &&
    node.output.projections.every(({ steps }) => coveredBy(index, steps) !== undefined)
  );
}
