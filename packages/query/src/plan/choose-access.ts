import type { Expression } from '@themisdb/aql';
import type { AttributePath, IndexInfo } from '@themisdb/storage';
import { conditionsOf, excludesNull, type Condition } from './condition.ts';
import { estimateAccess } from './cost.ts';
import type {
  EqualBound,
  IndexAccess,
  IndexRangePlan,
  PrimaryAccess,
  RangeBound,
  ScanNode,
} from './node.ts';
import { conjuncts } from './rewrite.ts';
import type { RuleContext } from './rule.ts';
import { disjuncts } from './rules/replace-or-with-in.ts';

/** A way to the rows of a scan that beats reading all of them. */
export interface AccessChoice {
  readonly access: PrimaryAccess | IndexAccess;
  /** Filters the access itself makes true. */
  readonly covered: readonly Expression[];
  /** Work per outer row. */
  readonly cost: number;
}

/** All ways that serve some of the filters, by key, by one index, by several for an OR. */
export function accessChoices(
  scan: ScanNode,
  filters: readonly Expression[],
  context: RuleContext,
): AccessChoice[] {
  const conditions = filters.flatMap((filter) => conditionsOf(filter, scan.variable));
  const choices: AccessChoice[] = primaryChoices(scan, conditions, context);
  if (!context.indexesReadable || scan.hint?.disable === true) return choices;
  for (const index of usableIndexes(scan)) {
    const match = matchIndex(index, conditions, context);
    if (match !== undefined) choices.push(singleChoice(scan, match, context));
  }
  for (const filter of filters) {
    const union = unionChoice(scan, filter, conditions, context);
    if (union !== undefined) choices.push(union);
  }
  return choices;
}

/** The cheapest; of equals the first. */
export function cheapest(choices: readonly AccessChoice[]): AccessChoice | undefined {
  let best: AccessChoice | undefined;
  for (const choice of choices) if (best === undefined || choice.cost < best.cost) best = choice;
  return best;
}

function usableIndexes(scan: ScanNode): readonly IndexInfo[] {
  return scan.collection.indexes.filter((index) => index.state === 'ready');
}

function primaryChoices(
  scan: ScanNode,
  conditions: readonly Condition[],
  context: RuleContext,
): AccessChoice[] {
  return conditions.flatMap((condition): AccessChoice[] => {
    const [attribute] = condition.steps;
    if (condition.steps.length !== 1) return [];
    if (attribute !== '_key' && attribute !== '_id' && attribute !== '_urn') return [];
    if (condition.kind !== 'equal' && condition.kind !== 'in') return [];
    const many = condition.kind === 'in';
    const access: PrimaryAccess = { type: 'primary', attribute, value: condition.value, many };
    const { cost } = estimateAccess(access, scan, context.statistics);
    // Other keys can have the same uuid (another case), so the filter is still tried.
    return [{ access, covered: [], cost }];
  });
}

/** What one index can do with the conditions. */
interface Match {
  readonly range: IndexRangePlan;
  readonly used: readonly Condition[];
  readonly deduplicate: boolean;
}

function matchIndex(
  index: IndexInfo,
  conditions: readonly Condition[],
  context: RuleContext,
): Match | undefined {
  const used: Condition[] = [];
  const equal: EqualBound[] = [];
  let lower: Condition | undefined;
  let upper: Condition | undefined;
  for (const path of index.paths) {
    const on = conditions.filter((condition) => isAbout(condition, path));
    const exact = on.find(({ kind }) => kind === 'equal' || kind === 'contains');
    const list = exact ?? on.find(({ kind }) => kind === 'in');
    if (list !== undefined) {
      used.push(list);
      equal.push({ value: list.value, many: list.kind === 'in' });
      continue;
    }
    if (path.expandAfter !== undefined) break;
    lower = on.find(({ kind }) => kind === 'lower');
    upper = on.find(({ kind }) => kind === 'upper');
    break;
  }
  if (lower !== undefined) used.push(lower);
  if (upper !== undefined) used.push(upper);
  if (used.length === 0 || !holdsAllRows(index, equal.length, conditions, context))
    return undefined;
  return {
    range: { index, equal, lower: boundOf(lower), upper: boundOf(upper) },
    used,
    deduplicate: false,
  };
}

function isAbout(condition: Condition, path: AttributePath): boolean {
  if (path.expandAfter === undefined) {
    return condition.kind !== 'contains' && sameSteps(condition.steps, path.steps);
  }
  return (
    condition.kind === 'contains' &&
    sameSteps(condition.steps, path.steps.slice(0, path.expandAfter)) &&
    sameSteps(condition.elementSteps, path.steps.slice(path.expandAfter))
  );
}

export function sameSteps(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((step, i) => step === b[i]);
}

function boundOf(condition: Condition | undefined): RangeBound | undefined {
  return condition && { value: condition.value, inclusive: condition.inclusive };
}

/**
 * Whether the index has an entry for every row the conditions can hold for. A sparse index leaves out
 * rows with a null in any field, one that expands an array those without such an array.
 */
function holdsAllRows(
  index: IndexInfo,
  equalFields: number,
  conditions: readonly Condition[],
  context: RuleContext,
): boolean {
  return index.paths.every((path, i) => {
    if (path.expandAfter !== undefined && i >= equalFields) return false;
    if (!index.sparse) return true;
    return conditions.some(
      (condition) => isAbout(condition, path) && excludesNull(condition, (n) => context.param(n)),
    );
  });
}

function singleChoice(scan: ScanNode, match: Match, context: RuleContext): AccessChoice {
  const access: IndexAccess = {
    type: 'index',
    ranges: [match.range],
    reverse: false,
    covering: false,
    deduplicate: match.deduplicate,
  };
  const { cost } = estimateAccess(access, scan, context.statistics);
  return { access, covered: coveredFilters(match.used), cost };
}

/** Filters all of whose conditions the index makes true. */
function coveredFilters(used: readonly Condition[]): Expression[] {
  return [...new Set(used.filter(({ exact }) => exact).map(({ source }) => source))];
}

/** An OR each of whose sides an index can serve: one range a side, every entity once. */
function unionChoice(
  scan: ScanNode,
  filter: Expression,
  others: readonly Condition[],
  context: RuleContext,
): AccessChoice | undefined {
  const sides = disjuncts(filter);
  if (sides.length < 2) return undefined;
  const ranges: IndexRangePlan[] = [];
  for (const side of sides) {
    const own = conjuncts(side).flatMap((part) => conditionsOf(part, scan.variable));
    const matches = usableIndexes(scan).flatMap((index) => {
      const match = matchIndex(index, [...own, ...others], context);
      return match !== undefined && match.used.some((used) => own.includes(used)) ? [match] : [];
    });
    const best = cheapest(matches.map((match) => singleChoice(scan, match, context)));
    if (best === undefined) return undefined;
    ranges.push(...(best.access as IndexAccess).ranges);
  }
  const access: IndexAccess = {
    type: 'index',
    ranges,
    reverse: false,
    covering: false,
    deduplicate: true,
  };
  const { cost } = estimateAccess(access, scan, context.statistics);
  return { access, covered: [], cost };
}
