import type { Prng } from '@themisdb/base';
import type { IsolationLevel } from '../list-append/anomaly.ts';
import type { ListValue, Step, Transaction } from '../list-append/transaction.ts';
import { VersionedLists } from './versioned-lists.ts';

export interface ToyTransactionOptions {
  /** What the system promises and, but for a fault, keeps. */
  readonly level: IsolationLevel;
  readonly processes: number;
  readonly keys: number;
  readonly transactions: number;
  readonly unknownChance: number;
  readonly failedChance: number;
}

/** A fault of the system, at one transaction. */
export type TransactionFault =
  /** It was acknowledged and has no effect. */
  | 'lost-commit'
  /** Of its appends, those to one list only took effect. */
  | 'torn-commit'
  /** It failed, and took effect. */
  | 'leaked-abort'
  /** It took effect twice. */
  | 'double-commit'
  /** It overwrote the latest append of another to a list. */
  | 'lost-update'
  /** It read one list as it had been two versions earlier. */
  | 'stale-read';

interface Plan {
  readonly process: number;
  readonly steps: readonly Step[];
  readonly call: number;
  readonly begin: number;
  readonly commit: number;
  readonly returned: number;
  readonly ending: Transaction['outcome'];
}

/**
 * A history of a system that keeps its isolation level by construction, and last a transaction that
 * reads all lists. With a fault, it breaks its word for one transaction; undefined if none is fit.
 */
export function makeTransactionHistory(
  prng: Prng,
  options: ToyTransactionOptions,
  fault?: TransactionFault,
): Transaction[] | undefined {
  const plans = makePlans(prng, options);
  const fitting = plans.filter((plan) => fault !== undefined && isFit(plan, fault));
  if (fault !== undefined && fitting.length === 0) return undefined;
  const victim = fault === undefined ? undefined : prng.pick(fitting);
  const system = new System(prng, options.level);
  const done = new Map<Plan, Transaction>();
  for (const plan of [...plans].sort((a, b) => a.commit - b.commit)) {
    done.set(plan, system.execute(plan, plan === victim ? fault : undefined));
  }
  return plans.map((plan) => done.get(plan)!);
}

function makePlans(prng: Prng, options: ToyTransactionOptions): Plan[] {
  const clocks = Array.from({ length: options.processes }, () => prng.float() * 10);
  const counters = new Map<string, number>();
  const plans = Array.from({ length: options.transactions }, (): Plan => {
    const process = clocks.indexOf(Math.min(...clocks));
    const call = clocks[process]!;
    const begin = call + prng.float() * 2;
    const draw = prng.float() - options.unknownChance;
    const ending = draw < 0 ? 'unknown' : draw < options.failedChance ? 'failed' : 'committed';
    const lateness = ending === 'unknown' ? prng.pick([0, 10, 50]) * prng.float() : 0;
    const duration = prng.float() * (prng.chance(0.05) ? 30 : 4);
    const returned = begin + duration + prng.float();
    clocks[process] = returned + prng.float();
    const steps = drawSteps(prng, options.keys, counters);
    return { process, steps, call, begin, commit: begin + duration + lateness, returned, ending };
  });
  const end = Math.max(...plans.map(({ commit, returned }) => Math.max(commit, returned)));
  return [...plans, lastPlan(options, end + 1)];
}

function drawSteps(prng: Prng, keys: number, counters: Map<string, number>): Step[] {
  return Array.from({ length: prng.between(1, 4) }, (): Step => {
    const key = `k${prng.below(keys)}`;
    if (prng.chance(0.5)) return { type: 'read', key, values: undefined };
    const value = (counters.get(key) ?? 0) + 1;
    counters.set(key, value);
    return { type: 'append', key, value };
  });
}

function lastPlan({ processes, keys }: ToyTransactionOptions, call: number): Plan {
  const steps = Array.from({ length: keys }, (_, at): Step => ({
    type: 'read',
    key: `k${at}`,
    values: undefined,
  }));
  const times = { call, begin: call + 1, commit: call + 2, returned: call + 3 };
  return { process: processes, steps, ...times, ending: 'committed' };
}

function isFit({ steps, ending }: Plan, fault: TransactionFault): boolean {
  const keys = new Set(steps.filter(({ type }) => type === 'append').map(({ key }) => key));
  if (fault === 'leaked-abort') return ending === 'failed' && keys.size > 0;
  if (ending !== 'committed') return false;
  if (fault === 'stale-read') return steps.some(({ type }) => type === 'read');
  return keys.size > (fault === 'torn-commit' ? 1 : 0);
}

class System {
  readonly #prng: Prng;
  readonly #level: IsolationLevel;
  readonly #lists = new VersionedLists();

  constructor(prng: Prng, level: IsolationLevel) {
    this.#prng = prng;
    this.#level = level;
  }

  execute(plan: Plan, fault: TransactionFault | undefined): Transaction {
    const { process, call, ending } = plan;
    const appended = new Map<string, ListValue[]>();
    const readAt = this.#readTime(plan);
    let isStale = fault === 'stale-read';
    const steps = plan.steps.map((step): Step => {
      const own = appended.get(step.key) ?? [];
      appended.set(step.key, own);
      if (step.type === 'append') {
        own.push(step.value);
        return step;
      }
      if (ending === 'unknown' && this.#prng.chance(0.5)) return step;
      const seen = this.#lists.at(step.key, readAt, isStale ? 2 : 0);
      isStale = false;
      return { ...step, values: [...seen, ...own] };
    });
    const hasConflict = this.#level === 'snapshot' && this.#isBeaten(plan);
    const outcome = hasConflict && ending === 'committed' ? 'failed' : ending;
    if (!hasConflict || fault !== undefined) this.#apply(plan, appended, fault);
    return { process, call, returned: plan.returned, outcome, steps, ...pending(ending) };
  }

  /** The moment whose lists are read. */
  #readTime({ begin, commit, steps }: Plan): number {
    if (this.#level === 'snapshot') return begin;
    const isReadOnly = steps.every(({ type }) => type === 'read');
    // Who only reads may read all of the past, unless real time counts.
    const isOld = this.#level === 'serializable' && isReadOnly && this.#prng.chance(0.3);
    return isOld ? commit - this.#prng.float() * 20 : commit;
  }

  /** Whether another wrote after the snapshot what this one writes. */
  #isBeaten({ steps, begin }: Plan): boolean {
    return steps.some(({ type, key }) => type === 'append' && this.#lists.changedAfter(key, begin));
  }

  #apply(
    { commit, ending }: Plan,
    appended: ReadonlyMap<string, readonly ListValue[]>,
    fault: TransactionFault | undefined,
  ): void {
    const isLost = ending === 'failed' || (ending === 'unknown' && this.#prng.chance(0.4));
    if (fault === 'lost-commit' || (isLost && fault !== 'leaked-abort')) return;
    for (const [key, values] of appended) {
      if (values.length === 0) continue;
      const before = this.#lists.at(key, commit, fault === 'lost-update' ? 1 : 0);
      const twice = fault === 'double-commit' ? values : [];
      this.#lists.set(key, commit, [...before, ...values, ...twice]);
      if (fault === 'torn-commit') return;
    }
  }
}

function pending(ending: Plan['ending']): { returned?: number } {
  return ending === 'unknown' ? { returned: Number.POSITIVE_INFINITY } : {};
}
