import type { Transaction } from '@themisdb/storage';
import type { World } from '../world/world.ts';
import { collectionOf, put, readOf, reading, writing } from './documents.ts';
import type { Session } from './session.ts';
import type { Workload } from './workload.ts';

const name = 'packs';
const packs = 3;
const documents = 4;
const paddingMax = 1500;
const readTimeoutMs = 3000;

/**
 * Several documents are written by one command, which may be so long that it stands in several entries:
 * whoever reads them, at any replica, finds all of one write, and what was acknowledged before.
 */
export class Packs implements Workload {
  readonly collections: readonly string[] = [name];
  readonly #world: World;
  /** The highest number acknowledged, by pack. */
  readonly #acknowledged = new Map<number, number>();
  #next = 1;
  size = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async run(session: Session): Promise<void> {
    while (session.goesOn) {
      await session.think();
      const pack = session.prng.below(packs);
      if (session.prng.chance(0.6)) await this.#write(session, pack);
      else await this.#read(session, pack, session.anyNode());
      this.size++;
    }
  }

  async check(session: Session): Promise<void> {
    for (const { id } of this.#world.running())
      for (let pack = 0; pack < packs; pack++) await this.#read(session, pack, id);
  }

  async #write(session: Session, pack: number): Promise<void> {
    const padding = 'x'.repeat(session.prng.below(paddingMax));
    const answer = await session.write((replica, env) => {
      // Numbers rise in the order of commits: a later one was formed on an earlier.
      const body = async (t: Transaction): Promise<number> => {
        const collection = collectionOf(t, name);
        const n = this.#next++;
        for (let i = 0; i < documents; i++) {
          const there = await readOf(t, collection, `p${pack}-${i}`);
          await put(t, collection, `p${pack}-${i}`, { n, padding }, there);
        }
        return n;
      };
      return writing(replica, 'serializable', body, (t) => session.commit(t, env));
    });
    if (answer.type !== 'ok') return;
    const last = this.#acknowledged.get(pack) ?? 0;
    this.#acknowledged.set(pack, Math.max(last, answer.value.value));
  }

  async #read(session: Session, pack: number, nodeId: number): Promise<void> {
    const mode = session.prng.pick(['strong', 'eventual'] as const);
    const due = mode === 'strong' ? (this.#acknowledged.get(pack) ?? 0) : 0;
    const answer = await session.call(
      nodeId,
      async (replica) => {
        await replica.awaitReadable({ type: mode }, { timeoutMs: readTimeoutMs });
        return reading(replica, (t) => look(t, pack));
      },
      5000,
    );
    if (answer.type !== 'ok') return;
    const { value } = answer;
    this.#world.violations.check(
      new Set(value).size === 1,
      'packs are whole',
      () => `node ${nodeId}: pack ${pack} holds ${value.join(' and ')}`,
    );
    this.#world.violations.check(
      value[0]! >= due,
      'strong reads see whole packs that were acknowledged',
      () => `node ${nodeId}: pack ${pack} holds ${value[0]}, ${due} was acknowledged`,
    );
  }
}

async function look(t: Transaction, pack: number): Promise<number[]> {
  const collection = collectionOf(t, name);
  const found: number[] = [];
  for (let i = 0; i < documents; i++) {
    const record = await readOf(t, collection, `p${pack}-${i}`);
    found.push((record?.document()['n'] ?? 0) as number);
  }
  return found;
}
