import type { SettingName } from '../run/settings.ts';
import type { World } from '../world/world.ts';
import { giveUpReads } from './abandoned-reads.ts';
import { Bank } from './bank.ts';
import { Feed } from './feed.ts';
import { Flood } from './flood.ts';
import { Keyed } from './keyed.ts';
import { Lists } from './lists.ts';
import { Packs } from './packs.ts';
import { Registers } from './registers.ts';
import { changeSchema } from './schema.ts';
import { Session } from './session.ts';
import type { Workload } from './workload.ts';

const parts: Partial<Record<SettingName, new (world: World) => Workload>> = {
  registers: Registers,
  lists: Lists,
  bank: Bank,
  keyed: Keyed,
  packs: Packs,
};

/** The parts that the settings name, and the sessions that carry them out. */
export class Workloads {
  readonly #world: World;
  readonly #weighted: { readonly part: Workload; readonly weight: number }[] = [];
  readonly #feed: Feed | undefined;

  constructor(world: World) {
    this.#world = world;
    for (const [name, Part] of Object.entries(parts)) {
      const weight = world.settings[name as SettingName];
      if (weight > 0) this.#weighted.push({ part: new Part(world), weight });
    }
    this.#feed = world.settings.feed > 0 ? new Feed(world) : undefined;
    if (world.settings.flood > 0) new Flood(world).start();
  }

  get collections(): readonly string[] {
    return this.#weighted.flatMap(({ part }) => part.collections);
  }

  get size(): number {
    return this.#weighted.reduce((sum, { part }) => sum + part.size, 0);
  }

  /** Resolves when all sessions have ended. */
  async run(): Promise<void> {
    const world = this.#world;
    const sessions = Array.from({ length: world.settings.clients }, (_, i) =>
      this.#partOf(i).run(new Session(world, `c${i}`)),
    );
    if (this.#feed !== undefined) sessions.push(this.#feed.run(new Session(world, 'feed')));
    for (const { part } of this.#weighted)
      if (part.watchLeaders) sessions.push(part.watchLeaders(new Session(world, 'watcher')));
    sessions.push(changeSchema(world), giveUpReads(world));
    await Promise.all(sessions);
  }

  async check(): Promise<void> {
    const session = new Session(this.#world, 'check');
    for (const { part } of this.#weighted) await part.check(session);
    await this.#feed?.check(session);
  }

  /** Every part gets a session before one gets two; then by weight. */
  #partOf(i: number): Workload {
    if (i < this.#weighted.length) return this.#weighted[i]!.part;
    const total = this.#weighted.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.#world.prng(`part ${i}`).float() * total;
    for (const { part, weight } of this.#weighted) if ((left -= weight) < 0) return part;
    return this.#weighted.at(-1)!.part;
  }
}
