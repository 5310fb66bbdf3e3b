import type { Transaction } from '@themisdb/storage';
import type { World } from '../world/world.ts';
import { collectionOf, put, readOf, reading, writing } from './documents.ts';
import type { Session } from './session.ts';
import type { Workload } from './workload.ts';

const name = 'bank';
const accounts = 6;
const opening = 100;

/**
 * Money moves between accounts; whoever adds all of it up, at any replica and as of any state, finds
 * the same sum, as many accounts as are counted, and in every index that is ready what the records say.
 */
export class Bank implements Workload {
  readonly collections: readonly string[] = [name];
  readonly #world: World;
  size = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async run(session: Session): Promise<void> {
    for (let isOpen = false; session.goesOn;) {
      await session.think();
      if (!isOpen) isOpen = (await session.write((replica) => open(replica))).type === 'ok';
      else if (session.prng.chance(0.2)) await this.#toggle(session);
      else if (session.prng.chance(0.6)) await this.#move(session);
      else await this.#audit(session, session.anyNode());
      this.size++;
    }
  }

  async check(session: Session): Promise<void> {
    for (const { id } of this.#world.running()) await this.#audit(session, id);
  }

  async #move(session: Session): Promise<void> {
    const { prng } = session;
    const from = prng.below(accounts);
    const to = (from + prng.between(1, accounts - 1)) % accounts;
    const amount = prng.between(1, 20);
    const isolation = prng.pick(['serializable', 'snapshot'] as const);
    await session.write((replica, env) => {
      const commit = (t: Transaction): Promise<bigint> => session.commit(t, env);
      const move = async (t: Transaction): Promise<void> => {
        const collection = collectionOf(t, name);
        for (const [account, change] of [
          [from, -amount],
          [to, amount],
        ] as const) {
          const record = await readOf(t, collection, `a${account}`);
          if (record === undefined) return;
          const balance = record.document()['balance'] as number;
          await put(t, collection, `a${account}`, { balance: balance + change }, record);
        }
      };
      return writing(replica, isolation, move, commit);
    });
  }

  /** An account without money comes or goes: counts change. */
  async #toggle(session: Session): Promise<void> {
    const key = `x${session.prng.below(3)}`;
    await session.write((replica) =>
      writing(replica, 'serializable', async (t) => {
        const collection = collectionOf(t, name);
        const record = await readOf(t, collection, key);
        if (record === undefined) await put(t, collection, key, { balance: 0 }, undefined);
        else await t.remove(collection, record.uuid);
      }),
    );
  }

  async #audit(session: Session, nodeId: number): Promise<void> {
    const answer = await session.call(nodeId, (replica) => reading(replica, audit), 5000);
    if (answer.type !== 'ok' || answer.value === undefined) return;
    this.#world.violations.report('sums stay', `node ${nodeId}: ${answer.value}`);
  }
}

/** Opened by whoever comes first. */
function open(replica: Parameters<typeof writing>[0]): Promise<unknown> {
  return writing(replica, 'serializable', async (t) => {
    const collection = collectionOf(t, name);
    for (let i = 0; i < accounts; i++) {
      const there = await readOf(t, collection, `a${i}`);
      if (there === undefined) await put(t, collection, `a${i}`, { balance: opening }, undefined);
    }
  });
}

/** What is wrong, if anything is. */
async function audit(t: Transaction): Promise<string | undefined> {
  const collection = collectionOf(t, name);
  const balances = new Map<string, number>();
  for await (const batch of t.scan(collection))
    for (const record of batch) balances.set(record.uuid, record.document()['balance'] as number);
  if (balances.size === 0) return undefined;
  const sum = [...balances.values()].reduce((all, balance) => all + balance, 0);
  if (sum !== accounts * opening) return `the sum is ${sum}`;
  const count = await t.count(collection);
  if (count !== balances.size) return `the count is ${count}, there are ${balances.size}`;
  // One by one as well: another way to the same data.
  for (const [uuid, balance] of balances) {
    const record = await t.get(collection, uuid as never);
    if (record?.document()['balance'] !== balance) return `a scan and a read differ`;
  }
  for (const index of collection.indexes) {
    if (index.state !== 'ready') continue;
    const found = new Map<string, unknown>();
    for await (const batch of t.scanIndex(collection, index, { equal: [] }))
      for (const { uuid, values } of batch) found.set(uuid, values[0]);
    for (const [uuid, balance] of balances)
      if (found.get(uuid) !== balance) return `index ${index.name} says another balance`;
    if (found.size !== balances.size) return `index ${index.name} has ${found.size} entries`;
  }
  return undefined;
}
