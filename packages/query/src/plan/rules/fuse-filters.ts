import type { Expression } from '@themisdb/aql';
import type { PlanNode, ScanNode } from '../node.ts';
import type { Rule } from '../rule.ts';

/** Filters right after a scan are tried by the scan itself, before it reads the rest of a record. */
export const fuseFilters: Rule = {
  name: 'move-filters-into-scan',
  apply(pipeline) {
    let changed = false;
    const out: PlanNode[] = [];
    for (const node of pipeline) {
      const previous = out.at(-1);
      if (node.type === 'filter' && previous?.type === 'scan') {
        out[out.length - 1] = withFilter(previous, node.condition);
        changed = true;
      } else out.push(node);
    }
    return changed ? out : pipeline;
  },
};

function withFilter(scan: ScanNode, condition: Expression): ScanNode {
  return { ...scan, filters: [...scan.filters, condition] };
}
