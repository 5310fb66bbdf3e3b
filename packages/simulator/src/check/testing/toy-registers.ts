import type { Prng } from '@themisdb/base';
import type { Outcome, Scalar } from '../history.ts';
import type { RegisterInput, RegisterOperation, RegisterOutput } from '../register.ts';

export interface ToyRegisterOptions {
  readonly processes: number;
  readonly keys: number;
  readonly operations: number;
  /** Values of writes: all different, or of a handful. */
  readonly values: 'unique' | 'few';
  readonly readChance?: number;
  readonly unknownChance: number;
  readonly failedChance?: number;
}

/** A fault of the system, at one operation. */
export type RegisterFault =
  /** An acknowledged write or compare-and-set that never took effect. */
  | 'lost-write'
  /** A read of an earlier value than the one that was there when it was called. */
  | 'stale-read'
  /** A write that took effect before it was called. */
  | 'early-write'
  /** A compare-and-set that says the opposite of what it did. */
  | 'lying-cas'
  /** A write that takes effect a second time, after the next one was acknowledged. */
  | 'double-write';

interface Plan {
  readonly process: number;
  readonly key: string;
  readonly input: RegisterInput;
  readonly call: number;
  readonly effect: number;
  readonly returned: number;
  readonly ending: Outcome<never>['type'];
}

interface Effect {
  readonly plan: Plan;
  readonly at: number;
}

/**
 * A history of a system that is linearizable by construction: each operation takes effect at one
 * moment between its call and its return, those of unknown outcome at any later moment or never.
 * With a fault, the system breaks its word for one operation; undefined if none is fit for it.
 */
export function makeRegisterHistory(
  prng: Prng,
  options: ToyRegisterOptions,
  fault?: RegisterFault,
): RegisterOperation[] | undefined {
  const plans = makePlans(prng, options);
  const victim = fault === undefined ? undefined : pickVictim(prng, plans, fault);
  if (fault !== undefined && victim === undefined) return undefined;
  const outputs = execute(effectsOf(prng, plans, fault, victim));
  if (victim !== undefined && !spoilOutput(outputs, victim, fault!)) return undefined;
  return plans.map((plan) => finish(plan, outputs.get(plan)?.output));
}

function makePlans(prng: Prng, options: ToyRegisterOptions): Plan[] {
  const clocks = Array.from({ length: options.processes }, () => prng.float() * 10);
  return Array.from({ length: options.operations }, (_, number): Plan => {
    const process = clocks.indexOf(Math.min(...clocks));
    const call = clocks[process]!;
    const effect = call + delay(prng);
    const returned = effect + delay(prng);
    clocks[process] = returned + prng.float();
    const draw = prng.float() - options.unknownChance;
    const ending = draw < 0 ? 'unknown' : draw < (options.failedChance ?? 0) ? 'failed' : 'ok';
    const key = `k${prng.below(options.keys)}`;
    const input = drawInput(prng, number, options);
    return { process, key, input, call, effect, returned, ending };
  });
}

/** Mostly short, now and then very long. */
function delay(prng: Prng): number {
  return prng.float() * (prng.chance(0.05) ? 40 : 4);
}

function drawInput(prng: Prng, number: number, options: ToyRegisterOptions): RegisterInput {
  const isFew = options.values === 'few';
  const value = isFew ? prng.below(5) : number;
  const earlier = Math.max(0, number - 1 - prng.below(3 * options.keys * options.processes));
  if (prng.chance(options.readChance ?? 0.5)) return { type: 'read' };
  if (prng.chance(0.6)) return { type: 'write', value };
  return { type: 'cas', expected: isFew ? prng.below(5) : earlier, value };
}

function pickVictim(prng: Prng, plans: readonly Plan[], fault: RegisterFault): Plan | undefined {
  const type = fault === 'stale-read' ? 'read' : fault === 'lying-cas' ? 'cas' : 'write';
  const fits = (plan: Plan): boolean =>
    plan.ending === 'ok' &&
    plan.input.type === type &&
    (fault !== 'double-write' || returnOfNextWrite(plans, plan) > plan.returned);
  const candidates = plans.filter(fits);
  return candidates.length === 0 ? undefined : prng.pick(candidates);
}

/** Moments at which operations take effect, in order. */
function effectsOf(
  prng: Prng,
  plans: readonly Plan[],
  fault: RegisterFault | undefined,
  victim: Plan | undefined,
): Effect[] {
  const effects = plans.flatMap((plan): Effect[] => {
    if (plan.ending === 'failed') return [];
    if (plan.ending === 'unknown') {
      const lateness = prng.pick([0, 10, 100]) * prng.float();
      return prng.chance(0.4) ? [] : [{ plan, at: plan.effect + lateness }];
    }
    if (plan !== victim) return [{ plan, at: plan.effect }];
    switch (fault) {
      case 'lost-write':
        return [];
      case 'early-write':
        return [{ plan, at: plan.call - 20 }];
      case 'double-write':
        return [
          { plan, at: plan.effect },
          { plan, at: returnOfNextWrite(plans, plan) + 1 },
        ];
      default:
        return [{ plan, at: plan.effect }];
    }
  });
  return effects.sort((a, b) => a.at - b.at);
}

function returnOfNextWrite(plans: readonly Plan[], { key, returned }: Plan): number {
  const next = plans.find(
    ({ key: other, input, call, ending }) =>
      other === key && input.type === 'write' && ending === 'ok' && call > returned,
  );
  return next?.returned ?? returned;
}

interface Executed {
  output: RegisterOutput;
  /** What the register held before, with the time it was written. */
  readonly before: readonly { readonly value: Scalar; readonly at: number }[];
}

function execute(effects: readonly Effect[]): Map<Plan, Executed> {
  const registers = new Map<string, { value: Scalar; at: number }[]>();
  const outputs = new Map<Plan, Executed>();
  for (const { plan, at } of effects) {
    const versions = registers.get(plan.key) ?? [{ value: null, at: -Infinity }];
    registers.set(plan.key, versions);
    const current = versions.at(-1)!.value;
    const before = versions.slice();
    const { input } = plan;
    if (input.type === 'read') {
      outputs.set(plan, { output: { type: 'read', value: current }, before });
    } else {
      const swapped = input.type === 'write' || input.expected === current;
      if (swapped) versions.push({ value: input.value, at });
      const output: RegisterOutput =
        input.type === 'write' ? { type: 'write' } : { type: 'cas', swapped };
      outputs.set(plan, { output, before });
    }
  }
  return outputs;
}

/** Faults that lie about the result. False if there is nothing to lie about. */
function spoilOutput(outputs: Map<Plan, Executed>, victim: Plan, fault: RegisterFault): boolean {
  const executed = outputs.get(victim);
  if (fault === 'lying-cas' && executed?.output.type === 'cas') {
    executed.output = { type: 'cas', swapped: !executed.output.swapped };
  }
  if (fault !== 'stale-read' || executed === undefined) return true;
  const atCall = executed.before.filter(({ at }) => at < victim.call);
  const stale = atCall.at(-3);
  if (stale === undefined) return false;
  executed.output = { type: 'read', value: stale.value };
  return true;
}

function finish(plan: Plan, output: RegisterOutput | undefined): RegisterOperation {
  const { process, key, input, call, ending } = plan;
  if (ending !== 'ok') {
    const returned = ending === 'failed' ? plan.returned : Number.POSITIVE_INFINITY;
    return { process, key, input, call, returned, outcome: { type: ending } };
  }
  // Only a lost write was never executed, and it was acknowledged all the same.
  const outcome = { type: 'ok', output: output ?? { type: 'write' } } as const;
  return { process, key, input, call, returned: plan.returned, outcome };
}
