import { suggest } from '@themisdb/base';
import { estimatePipeline } from './cost.ts';
import type { Pipeline, Plan } from './node.ts';
import { mapNested, type Rule, type RuleContext } from './rule.ts';
import { rules } from './rules/index.ts';

export interface OptimisedPlan {
  readonly plan: Plan;
  /** Names of the rules that changed something, in the order they ran. */
  readonly applied: readonly string[];
}

/** Runs the rules, in their order, that `selection` (as in `OptimizerOptions.rules`) leaves on. */
export function optimise(
  plan: Plan,
  selection: readonly string[],
  context: RuleContext,
): OptimisedPlan {
  const isOn = ruleSwitch(selection, context);
  const applied: string[] = [];
  let { root } = plan;
  for (const rule of rules) {
    if (!isOn(rule.name)) continue;
    const rewritten = applyDeep(rule, root, context);
    if (rewritten !== root) applied.push(rule.name);
    root = rewritten;
  }
  return { plan: { ...plan, root }, applied };
}

function applyDeep(rule: Rule, pipeline: Pipeline, context: RuleContext): Pipeline {
  const inner = mapNested(pipeline, (nested, i) => {
    const node = pipeline[i]!;
    const before = estimatePipeline(pipeline.slice(0, i), context.statistics).at(-1)?.rows ?? 1;
    // The search of an UPSERT must see each row's effects: nothing of it may be kept for the next.
    const isSingle = node.type === 'upsert' || (node.type === 'subquery' && node.once);
    const repeats = isSingle ? 1 : before * context.repeats;
    return applyDeep(rule, nested, { ...context, repeats });
  });
  return rule.apply(inner, context);
}

function ruleSwitch(selection: readonly string[], context: RuleContext): (name: string) => boolean {
  const names = rules.map((rule) => rule.name);
  for (const entry of selection) {
    const name = entry.replace(/^[-+]/, '');
    if (name === 'all' || names.includes(name)) continue;
    const near = suggest(name, names);
    const help = near === undefined ? '' : ` Did you mean ${near}?`;
    context.warn('AQL_INVALID_OPTION', `There is no optimizer rule ${name}.${help}`);
  }
  return (name) => {
    const last = selection.findLast((entry) => matches(entry, name));
    return last === undefined || !last.startsWith('-');
  };
}

function matches(entry: string, name: string): boolean {
  const wanted = entry.replace(/^[-+]/, '');
  return wanted === 'all' || wanted === name;
}
