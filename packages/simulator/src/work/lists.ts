import type { Value } from '@themisdb/base';
import type { Transaction as StoreTransaction } from '@themisdb/storage';
import {
  checkTransactions,
  type IsolationLevel,
  type ListValue,
  type Step,
  type Transaction,
} from '../check/index.ts';
import type { NodeEnv } from '../world/node-env.ts';
import type { World } from '../world/world.ts';
import { collectionOf, put, readOf, reading, writing } from './documents.ts';
import type { Session } from './session.ts';
import type { Workload } from './workload.ts';

type Isolation = 'serializable' | 'snapshot';

interface Plan {
  readonly isolation: Isolation;
  readonly steps: readonly { readonly type: 'append' | 'read'; readonly key: string }[];
  readonly values: readonly number[];
  readonly isStrong: boolean;
}

const nameOf = (isolation: Isolation): string => `lists-${isolation}`;

/**
 * Transactions that append to lists and read them. Serializable ones whose reads are strong must be
 * strictly so; snapshot ones, which may read at any replica what it has, keep snapshot isolation.
 */
export class Lists implements Workload {
  readonly collections: readonly string[] = [nameOf('serializable'), nameOf('snapshot')];
  readonly #world: World;
  readonly #keys: readonly string[];
  readonly #done: Record<Isolation, Transaction[]> = { serializable: [], snapshot: [] };
  #next = 1;

  constructor(world: World) {
    this.#world = world;
    const count = world.prng('lists').between(2, 5);
    this.#keys = Array.from({ length: count }, (_, i) => `l${i}`);
  }

  get size(): number {
    return this.#done.serializable.length + this.#done.snapshot.length;
  }

  async run(session: Session): Promise<void> {
    while (session.goesOn) {
      await session.think();
      const plan = this.#plan(session);
      const call = session.nowMs;
      const isReadOnly = plan.steps.every(({ type }) => type === 'read');
      const answer = isReadOnly
        ? await session.call(
            session.anyNode(),
            async (replica, env) => {
              const mode = plan.isStrong ? 'strong' : 'eventual';
              await replica.awaitReadable({ type: mode }, { timeoutMs: 3000 });
              return reading(replica, (t) => carryOut(t, plan, session, env));
            },
            5000,
          )
        : await session.write(async (replica, env) => {
            const body = (t: StoreTransaction): Promise<Step[]> => carryOut(t, plan, session, env);
            return (await writing(replica, plan.isolation, body, (t) => session.commit(t, env)))
              .value;
          });
      const outcome = answer.type === 'ok' ? 'committed' : answer.type;
      this.#done[plan.isolation].push({
        process: session.id,
        call,
        returned: outcome === 'unknown' ? Infinity : session.nowMs,
        outcome,
        steps: answer.type === 'ok' ? answer.value : unanswered(plan),
      });
      this.#world.note(`${session.id} ${plan.isolation} transaction ${outcome}`);
    }
  }

  #plan({ prng }: Session): Plan {
    const isolation = prng.pick(['serializable', 'snapshot'] as const);
    const odds = prng.pick([0, 0.5, 0.8]);
    const steps = Array.from({ length: prng.between(1, 4) }, () => {
      const type = prng.chance(odds) ? ('append' as const) : ('read' as const);
      return { type, key: prng.pick(this.#keys) };
    });
    const values = steps.map(() => this.#next++);
    return { isolation, steps, values, isStrong: isolation === 'serializable' };
  }

  async check(): Promise<void> {
    const levels: Record<Isolation, IsolationLevel> = {
      serializable: 'strict-serializable',
      snapshot: 'snapshot',
    };
    for (const isolation of ['serializable', 'snapshot'] as const) {
      const verdict = checkTransactions(this.#done[isolation], levels[isolation]);
      if (verdict.type === 'violation')
        this.#world.violations.report(`${levels[isolation]} transactions`, verdict.text);
      else if (verdict.allowed.includes('G2')) this.#world.marks.hit('write skew at snapshot');
    }
  }
}

async function carryOut(
  t: StoreTransaction,
  plan: Plan,
  session: Session,
  env: NodeEnv,
): Promise<Step[]> {
  const collection = collectionOf(t, nameOf(plan.isolation));
  const steps: Step[] = [];
  // Some last so long that the leader changes meanwhile.
  const lengthMs = session.prng.chance(0.1) ? 2000 : 5;
  for (const [i, { type, key }] of plan.steps.entries()) {
    // So that transactions overlap.
    if (i > 0 && session.prng.chance(0.3)) await env.timers.sleep(lengthMs * session.prng.float());
    const record = await readOf(t, collection, key);
    const values = (record?.document()['values'] ?? []) as readonly ListValue[];
    if (type === 'read') steps.push({ type, key, values });
    else {
      const value = plan.values[i]!;
      await put(t, collection, key, { values: [...values, value] as Value }, record);
      steps.push({ type, key, value });
    }
  }
  return steps;
}

function unanswered({ steps, values }: Plan): Step[] {
  return steps.map(({ type, key }, i) =>
    type === 'read' ? { type, key, values: undefined } : { type, key, value: values[i]! },
  );
}
