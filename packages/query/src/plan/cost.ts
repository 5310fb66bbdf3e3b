import type { Expression } from '@themisdb/aql';
import type { Access, IndexRangePlan, Pipeline, PlanNode, ScanNode } from './node.ts';
import type { Statistics } from './rule.ts';

/**
 * Estimates of rows and work. The unit of cost is one record read by a scan; the factors say how much
 * dearer or cheaper other steps are, and only their order of magnitude matters.
 */
export interface Estimate {
  /** Rows that leave the node. */
  readonly rows: number;
  /** Work of this node and those before it. */
  readonly cost: number;
}

export const costs = {
  /** Going down to the start of a range of an index. */
  seek: 2,
  /** One entry of an index. */
  entry: 0.6,
  /** One record fetched by key. */
  fetch: 2,
  /** One row of a hash table built or probed. */
  hash: 0.3,
  /** One row computed, compared or moved. */
  row: 0.1,
} as const;

/** Shares of rows that conditions are taken to keep. */
export const shares = {
  equality: 0.1,
  rangeOpen: 0.33,
  rangeClosed: 0.11,
  other: 0.5,
} as const;

/** Elements of an array nothing is known of. */
const listLength = 10;

/** An estimate for every node of a pipeline, in its order, for one row coming in. */
export function estimatePipeline(pipeline: Pipeline, statistics: Statistics): Estimate[] {
  let current: Estimate = { rows: 1, cost: 0 };
  return pipeline.map((node) => (current = estimateNode(node, current, statistics)));
}

export function estimateNode(node: PlanNode, input: Estimate, statistics: Statistics): Estimate {
  const { rows } = input;
  const plus = (out: number, work: number): Estimate => ({ rows: out, cost: input.cost + work });
  switch (node.type) {
    case 'scan':
      return estimateScan(node, input, statistics);
    case 'enumerate': {
      const out = rows * listLengthOf(node.list);
      return plus(out, out * costs.row);
    }
    case 'filter':
      return plus(rows * shareOf(node.condition), rows * costs.row);
    case 'subquery': {
      const inner = estimatePipeline(node.body, statistics).at(-1)!;
      return plus(rows, inner.cost * (node.once ? 1 : rows));
    }
    case 'lookup':
      return plus(rows, rows * costs.fetch);
    case 'count':
      return plus(rows, 1);
    case 'sort': {
      const kept = node.top === undefined ? rows : Math.min(rows, limitOf(node.top));
      return plus(kept, rows * costs.row * Math.log2(Math.max(2, kept)));
    }
    case 'limit':
      return plus(Math.min(rows, limitOf(node.count)), 0);
    case 'collect':
      return plus(groupsOf(node.groups.length, rows), rows * costs.row);
    case 'modify':
      return plus(rows, rows * costs.fetch);
    case 'upsert': {
      const search = estimatePipeline(node.search, statistics).at(-1)!;
      return plus(rows, rows * (search.cost + costs.fetch));
    }
    case 'return':
      return plus(node.distinct ? Math.max(1, rows * 0.5) : rows, rows * costs.row);
    case 'let':
    case 'materialise':
    case 'window':
      return plus(rows, rows * costs.row);
  }
}

function estimateScan(node: ScanNode, input: Estimate, statistics: Statistics): Estimate {
  const one = estimateAccess(node.access, node, statistics);
  let out = one.rows;
  for (const filter of node.filters) if (!isImplied(filter, node)) out *= shareOf(filter);
  const repeated = node.access.type === 'hash' ? 1 : input.rows;
  const probes = node.access.type === 'hash' ? input.rows * costs.hash : 0;
  let rows = out * input.rows;
  let work = one.cost * repeated + probes + rows * costs.row;
  if (node.limit !== undefined) {
    const kept = Math.min(rows, limitOf(node.limit));
    if (rows > 0) work *= kept / rows;
    rows = kept;
  }
  return { rows, cost: input.cost + work };
}

/** A filter that is tried once more although the access by key was made from it. */
function isImplied(filter: Expression, { access }: ScanNode): boolean {
  if (access.type !== 'primary' || filter.type !== 'Binary') return false;
  return filter.left === access.value || filter.right === access.value;
}

/** Items an access gives for one outer row (before the scan's own filters), and its work. */
export function estimateAccess(
  access: Access,
  node: Pick<ScanNode, 'collection'>,
  statistics: Statistics,
): Estimate {
  const count = statistics.approximateCount(node.collection);
  switch (access.type) {
    case 'full':
      return { rows: count, cost: Math.max(1, count) };
    case 'primary': {
      const keys = access.many ? listLengthOf(access.value) : 1;
      return { rows: Math.min(keys, count), cost: keys * costs.fetch };
    }
    case 'index': {
      let rows = 0;
      let seeks = 0;
      for (const range of access.ranges) {
        rows += rangeRows(range, statistics);
        seeks += rangeCount(range);
      }
      rows = Math.min(rows, Math.max(count, rows > 0 ? 1 : 0));
      const perRow = costs.entry + (access.covering ? 0 : costs.fetch);
      return { rows, cost: seeks * costs.seek + rows * perRow };
    }
    case 'hash': {
      const build = estimateAccess(access.build, node, statistics);
      let { rows } = build;
      for (const filter of access.buildFilters) rows *= shareOf(filter);
      const matches = Math.max(1, rows) * Math.pow(shares.equality, access.keys.length);
      return { rows: matches, cost: build.cost + rows * costs.hash };
    }
  }
}

function rangeCount(range: IndexRangePlan): number {
  return range.equal.reduce((n, { value, many }) => n * (many ? listLengthOf(value) : 1), 1);
}

/** Entries in a range: from the index's own statistics where all its fields are given. */
function rangeRows(range: IndexRangePlan, statistics: Statistics): number {
  const { entries, selectivity } = statistics.indexStatistics(range.index);
  if (entries === 0) return 0;
  const { fields } = range.index;
  const perKey = Math.max(1, 1 / Math.max(selectivity, 1 / entries));
  const given = range.equal.length;
  // With k of n fields given the distinct prefixes are taken to be distinct keys to the power k/n.
  const distinct = Math.pow(entries / perKey, given / fields.length);
  let rows = entries / Math.max(1, distinct);
  const bounds = Number(range.lower !== undefined) + Number(range.upper !== undefined);
  if (bounds === 1) rows *= shares.rangeOpen;
  if (bounds === 2) rows *= shares.rangeClosed;
  return Math.min(entries, Math.max(1, rows) * rangeCount(range));
}

function groupsOf(groups: number, rows: number): number {
  return groups === 0 ? 1 : Math.max(1, Math.min(rows, rows * 0.2));
}

export function listLengthOf(list: Expression): number {
  if (list.type === 'Array') return list.elements.length;
  if (list.type === 'Range' && list.from.type === 'Number' && list.to.type === 'Number') {
    return Math.abs(list.to.value - list.from.value) + 1;
  }
  return listLength;
}

function limitOf(node: Expression): number {
  return node.type === 'Number' ? node.value : 100;
}

/** The share of rows a condition is taken to keep. */
export function shareOf(condition: Expression): number {
  if (condition.type === 'Boolean') return condition.value ? 1 : 0;
  if (condition.type !== 'Binary') return shares.other;
  switch (condition.operator) {
    case '==':
      return shares.equality;
    case '<':
    case '<=':
    case '>':
    case '>=':
      return shares.rangeOpen;
    case 'IN':
      return Math.min(1, shares.equality * listLengthOf(condition.right));
    case '&&':
      return shareOf(condition.left) * shareOf(condition.right);
    case '||':
      return Math.min(1, shareOf(condition.left) + shareOf(condition.right));
    default:
      return shares.other;
  }
}
