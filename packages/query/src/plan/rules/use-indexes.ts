import { themisError } from '@themisdb/protocol';
import { accessChoices, cheapest, type AccessChoice } from '../choose-access.ts';
import { estimateAccess } from '../cost.ts';
import type { FilterNode, Pipeline, ScanNode } from '../node.ts';
import type { Rule, RuleContext } from '../rule.ts';

/**
 * A scan with filters right after it reads only the rows an index, or the key, leads to. Filters that
 * the access makes true go away; the others stay.
 */
export const useIndexes: Rule = {
  name: 'use-indexes',
  apply(pipeline, context) {
    let out: Pipeline = pipeline;
    for (let i = 0; i < out.length; i++) {
      const node = out[i]!;
      if (node.type !== 'scan' || node.access.type !== 'full') continue;
      const filters = filtersAfter(out, i);
      const choice = choose(node, filters, context);
      if (choice === undefined) continue;
      const scan: ScanNode = { ...node, access: choice.access, covered: choice.covered };
      const kept = filters.filter((filter) => !choice.covered.includes(filter.condition));
      out = [...out.slice(0, i), scan, ...kept, ...out.slice(i + 1 + filters.length)];
    }
    return out;
  },
};

/** The filters right after a node. */
export function filtersAfter(pipeline: Pipeline, at: number): FilterNode[] {
  const out: FilterNode[] = [];
  for (const node of pipeline.slice(at + 1)) {
    if (node.type !== 'filter') break;
    out.push(node);
  }
  return out;
}

function choose(
  scan: ScanNode,
  filters: readonly FilterNode[],
  context: RuleContext,
): AccessChoice | undefined {
  const conditions = filters.map((filter) => filter.condition);
  const choices = accessChoices(scan, conditions, context);
  const hinted = hintedChoice(scan, choices);
  if (hinted !== undefined) return hinted;
  if (scan.hint?.force === true) throw hintFailed(scan);
  return betterThanFull(scan, choices, context);
}

/** The cheapest choice, if it is cheaper than reading everything. */
export function betterThanFull(
  scan: ScanNode,
  choices: readonly AccessChoice[],
  context: RuleContext,
): AccessChoice | undefined {
  const best = cheapest(choices);
  const full = estimateAccess({ type: 'full' }, scan, context.statistics);
  return best !== undefined && best.cost < Math.max(full.cost, smallCost) ? best : undefined;
}

// Small collections grow; a plan that is good then costs nothing now.
const smallCost = 200;

function hintedChoice(scan: ScanNode, choices: readonly AccessChoice[]): AccessChoice | undefined {
  for (const name of scan.hint?.names ?? []) {
    const found = choices.find(({ access }) =>
      access.type === 'primary'
        ? name === 'primary'
        : access.ranges.every(({ index }) => index.name === name || String(index.id) === name),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function hintFailed(scan: ScanNode): Error {
  return themisError('AQL_INDEX_HINT', {
    message: `None of the indexes forced for ${scan.collection.name} (${scan.hint!.names.join(', ')}) can serve this query.`,
    details: { collection: scan.collection.name, indexes: scan.hint!.names },
  });
}
