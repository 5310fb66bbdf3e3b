import type { IndexInfo } from '@themisdb/storage';
import { asAccess } from '../attribute-access.ts';
import { sameSteps } from '../choose-access.ts';
import { costs, estimateAccess, shareOf } from '../cost.ts';
import type {
  IndexAccess,
  IndexRangePlan,
  Pipeline,
  PlanNode,
  ScanNode,
  SortNode,
} from '../node.ts';
import type { Rule, RuleContext } from '../rule.ts';
import { limitAfter } from './sort-limit.ts';

/**
 * A SORT goes away when the scan the rows come from can read them in that order from an index, and
 * when that is cheaper than sorting.
 */
export const useIndexForSort: Rule = {
  name: 'use-index-for-sort',
  apply(pipeline, context) {
    const at = pipeline.findIndex((node) => node.type === 'sort');
    if (at < 0) return pipeline;
    const sort = pipeline[at] as SortNode;
    const first = pipeline.findIndex((node) => node.type === 'scan' || node.type === 'enumerate');
    const scan = pipeline[first];
    if (first > at || scan?.type !== 'scan' || !context.indexesReadable) return pipeline;
    if (!pipeline.slice(0, at).every(keepsOrder)) return pipeline;
    const access = orderedAccess(scan, sort, pipeline, context);
    if (access === undefined) return pipeline;
    const sorted: ScanNode = { ...scan, access };
    return [
      ...pipeline.slice(0, first),
      sorted,
      ...pipeline.slice(first + 1, at),
      ...pipeline.slice(at + 1),
    ];
  },
};

/** Operators hand rows on in the order of their input; loops as well, row by row. */
function keepsOrder(node: PlanNode): boolean {
  return ['scan', 'enumerate', 'filter', 'let', 'lookup', 'count', 'subquery'].includes(node.type);
}

function orderedAccess(
  scan: ScanNode,
  sort: SortNode,
  pipeline: Pipeline,
  context: RuleContext,
): IndexAccess | undefined {
  const keys = sort.keys.map((key) => asAccess(key.expression));
  const reverse = sort.keys[0]!.descending;
  if (keys.some((key) => key?.variable !== scan.variable || key.steps.length === 0))
    return undefined;
  if (sort.keys.some((key) => key.descending !== reverse)) return undefined;
  const steps = keys.map((key) => key!.steps);
  if (scan.access.type === 'index') {
    const [range, ...others] = scan.access.ranges;
    if (others.length > 0 || !isOrdered(range!, steps)) return undefined;
    return { ...scan.access, reverse };
  }
  if (scan.access.type !== 'full' || scan.hint?.disable === true) return undefined;
  const index = scan.collection.indexes.find(
    (each) => isWholeIndex(each) && isOrdered(whole(each), steps),
  );
  if (index === undefined) return undefined;
  const access: IndexAccess = {
    type: 'index',
    ranges: [whole(index)],
    reverse,
    covering: false,
    deduplicate: false,
  };
  return isCheaper(scan, access, pipeline, context) ? access : undefined;
}

/** Every entity has exactly one entry. */
function isWholeIndex(index: IndexInfo): boolean {
  const expands = index.paths.some((path) => path.expandAfter !== undefined);
  return index.state === 'ready' && !index.sparse && !expands;
}

function whole(index: IndexInfo): IndexRangePlan {
  return { index, equal: [], lower: undefined, upper: undefined };
}

/** Whether the entries of a range come in the order of these attributes. */
function isOrdered(
  { index, equal }: IndexRangePlan,
  steps: readonly (readonly string[])[],
): boolean {
  let matched = 0;
  for (const [i, path] of index.paths.entries()) {
    if (matched === steps.length) break;
    const isFixed = equal[i] !== undefined && !equal[i].many;
    const isKey = path.expandAfter === undefined && sameSteps(path.steps, steps[matched]!);
    if (isKey) matched++;
    else if (!isFixed) return false;
  }
  return matched === steps.length;
}

/** Reading all records by an index costs more than a scan; with a LIMIT few of them are read. */
function isCheaper(
  scan: ScanNode,
  access: IndexAccess,
  pipeline: Pipeline,
  context: RuleContext,
): boolean {
  const full = estimateAccess({ type: 'full' }, scan, context.statistics);
  const byIndex = estimateAccess(access, scan, context.statistics);
  const at = pipeline.findIndex((node) => node.type === 'sort');
  const limit = limitAfter(pipeline.slice(at + 1));
  let kept = 1;
  for (const node of pipeline.slice(0, at))
    if (node.type === 'filter') kept *= shareOf(node.condition);
  const wanted =
    limit?.count.type === 'Number' ? limit.count.value : limit === undefined ? Infinity : 100;
  const read = Math.min(1, wanted / Math.max(1, full.rows * kept));
  const sorted = full.rows * kept * costs.row * Math.log2(Math.max(2, full.rows * kept));
  return byIndex.cost * read < Math.max(full.cost + sorted, smallCost);
}

const smallCost = 200;
