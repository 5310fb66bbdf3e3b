import type { Expression } from '@themisdb/aql';
import { accessChoices } from '../choose-access.ts';
import { costs, estimateAccess, estimatePipeline } from '../cost.ts';
import type { HashAccess, Pipeline, ScanNode } from '../node.ts';
import { isMovable } from '../rewrite.ts';
import type { Rule, RuleContext } from '../rule.ts';
import { variablesOf } from '../variables.ts';
import { betterThanFull, filtersAfter } from './use-indexes.ts';

/**
 * A scan repeated for many outer rows, with an equality between its rows and the outer ones, is read
 * once into a hash table when that is cheaper than asking an index for every outer row.
 */
export const hashJoin: Rule = {
  name: 'hash-join',
  apply(pipeline, context) {
    let out: Pipeline = pipeline;
    for (let i = 0; i < out.length; i++) {
      const node = out[i]!;
      if (node.type !== 'scan' || node.access.type === 'hash') continue;
      const filters = filtersAfter(out, i).map((filter) => filter.condition);
      const joined = joinOf(node, filters, context);
      if (joined === undefined) continue;
      const outerRows = rowsBefore(out, i, context) * context.repeats;
      if (outerRows < 2 || !isWorthIt(node, joined, outerRows, context)) continue;
      const kept = filtersAfter(out, i).filter((f) => joined.rest.includes(f.condition));
      out = [...out.slice(0, i), joined.scan, ...kept, ...out.slice(i + 1 + filters.length)];
    }
    return out;
  },
};

interface Joined {
  readonly scan: ScanNode;
  readonly access: HashAccess;
  /** Filters to be tried on joined rows. */
  readonly rest: readonly Expression[];
}

function joinOf(
  scan: ScanNode,
  filters: readonly Expression[],
  context: RuleContext,
): Joined | undefined {
  const all = [...scan.covered, ...filters];
  const keys: { inner: Expression; outer: Expression }[] = [];
  const local: Expression[] = [];
  const rest: Expression[] = [];
  for (const filter of all) {
    const key = keyOf(filter, scan.variable);
    if (key !== undefined) keys.push(key);
    else if (isLocal(filter, scan.variable) && isMovable(filter)) local.push(filter);
    else rest.push(filter);
  }
  // An access that filters on an outer value in another way cannot be the build side's.
  if (keys.length === 0 || rest.some((filter) => scan.covered.includes(filter))) return undefined;
  const start: ScanNode = { ...scan, access: { type: 'full' }, covered: [] };
  const choices = accessChoices(start, local, context).filter(
    ({ access }) => access.type === 'index',
  );
  const choice = betterThanFull(start, choices, context);
  const build = choice?.access.type === 'index' ? choice.access : { type: 'full' as const };
  const covered = choice?.covered ?? [];
  const buildFilters = local.filter((filter) => !covered.includes(filter));
  const access: HashAccess = { type: 'hash', build, buildFilters, keys };
  return { scan: { ...scan, access, covered }, access, rest };
}

/** `inner == outer`, with the scanned variable on one side only and outer rows on the other. */
function keyOf(
  filter: Expression,
  variable: string,
): { inner: Expression; outer: Expression } | undefined {
  if (filter.type !== 'Binary' || filter.operator !== '==' || !isMovable(filter)) return undefined;
  const { left, right } = filter;
  if (isInner(left, variable) && isOuter(right, variable)) return { inner: left, outer: right };
  if (isInner(right, variable) && isOuter(left, variable)) return { inner: right, outer: left };
  return undefined;
}

function isInner(node: Expression, variable: string): boolean {
  const used = variablesOf(node);
  return used.has(variable) && isLocal(node, variable);
}

function isOuter(node: Expression, variable: string): boolean {
  const used = variablesOf(node);
  return !used.has(variable) && [...used].some((name) => !name.startsWith('@'));
}

/** Uses nothing of outer rows. */
function isLocal(node: Expression, variable: string): boolean {
  return [...variablesOf(node)].every((name) => name === variable || name.startsWith('@'));
}

function rowsBefore(pipeline: Pipeline, at: number, context: RuleContext): number {
  return estimatePipeline(pipeline.slice(0, at), context.statistics).at(-1)?.rows ?? 1;
}

function isWorthIt(
  scan: ScanNode,
  joined: Joined,
  outerRows: number,
  context: RuleContext,
): boolean {
  const now = estimateAccess(scan.access, scan, context.statistics).cost * outerRows;
  const table = estimateAccess(joined.access, scan, context.statistics);
  const built = buildRows(joined, context);
  if (built > tableRowsMax) return false;
  return table.cost + outerRows * costs.hash < now;
}

function buildRows({ access, scan }: Joined, context: RuleContext): number {
  return estimateAccess(access.build, scan, context.statistics).rows;
}

// A larger table would come near the default memory limit.
const tableRowsMax = 1_500_000;
