import type { Value } from '@themisdb/base';
import type { Transaction } from '@themisdb/storage';
import type { World } from '../world/world.ts';
import { collectionOf, put, readOf, reading, writing } from './documents.ts';
import type { Session } from './session.ts';
import type { Workload } from './workload.ts';

const name = 'keyed';

/**
 * Writes under an idempotency key, repeated until one is answered for certain: each happens exactly
 * once, and its answer is the one that was stored with it.
 */
export class Keyed implements Workload {
  readonly collections: readonly string[] = [name];
  readonly #world: World;
  readonly #given = new Map<string, number[]>();
  size = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async run(session: Session): Promise<void> {
    const given: number[] = [];
    this.#given.set(session.id, given);
    for (let n = 1; session.goesOn; n++) {
      await session.think();
      let attempts = 0;
      for (let isDone = false; !isDone; attempts++) {
        const answer = await session.write((replica, env) =>
          append(replica, session.id, n, (t) => session.commit(t, env)),
        );
        isDone = answer.type === 'ok';
        if (answer.type === 'ok' && answer.value !== n)
          this.#world.violations.report(
            'answers stay',
            `${session.id} ${n}: the stored answer is ${answer.value}`,
          );
        if (!isDone) await this.#world.sleep(50 + 100 * session.prng.float());
      }
      if (attempts > 1) this.#world.marks.hit('a keyed write was repeated');
      given.push(n);
      this.size++;
    }
  }

  async check(session: Session): Promise<void> {
    for (const [id, given] of this.#given) {
      const nodeId = this.#world.leader()!.node.id;
      const answer = await session.call(
        nodeId,
        (replica) =>
          reading(replica, async (t) => {
            const record = await readOf(t, collectionOf(t, name), id);
            return (record?.document()['values'] ?? []) as Value;
          }),
        5000,
      );
      const found = answer.type === 'ok' ? JSON.stringify(answer.value) : answer.type;
      this.#world.violations.check(
        found === JSON.stringify(given),
        'a keyed write happens once',
        () => `${id} wrote ${JSON.stringify(given)}, there is ${found}`,
      );
    }
  }
}

/** As the server does it: looks for the answer first, stores it with the effect. */
async function append(
  replica: Parameters<typeof writing>[0],
  id: string,
  n: number,
  commit: (t: Transaction) => Promise<bigint>,
): Promise<number> {
  const key = `${id}-${n}`;
  const before = await replica.store.findAnswer(key);
  if (before !== undefined) return before.body as number;
  const body = async (t: Transaction): Promise<void> => {
    const collection = collectionOf(t, name);
    const record = await readOf(t, collection, id);
    const values = (record?.document()['values'] ?? []) as readonly Value[];
    await put(t, collection, id, { values: [...values, n] }, record);
    t.rememberAnswer(key, { fingerprint: key, body: n });
  };
  await writing(replica, 'serializable', body, commit);
  return n;
}
