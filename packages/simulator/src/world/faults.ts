import type { Prng } from '@themisdb/base';
import type { SettingName } from '../run/settings.ts';
import { depose, killVoter, stall, wipeHolder } from './aimed-faults.ts';
import type { Repairs } from './repairs.ts';
import { shard, type SimNode } from './node.ts';
import { stateGroupOf } from './watched-wal.ts';
import type { World } from './world.ts';

type Strike = (prng: Prng) => Promise<void>;

/** Each kind of fault comes by its own rate and its own draws, lasts for a while, and is made good. */
export class Faults {
  readonly #world: World;
  readonly #repairs: Repairs;

  constructor(world: World, repairs: Repairs) {
    this.#world = world;
    this.#repairs = repairs;
  }

  start(): void {
    const kinds: Partial<Record<SettingName, Strike>> = {
      crash: (prng) => this.#down(prng, (node) => node.crash()),
      kill: (prng) => this.#down(prng, (node) => node.kill()),
      pause: (prng) => this.#pause(prng),
      cutNode: (prng) => this.#cut(prng, 'node'),
      cutHalf: (prng) => this.#cut(prng, 'half'),
      cutOneWay: (prng) => this.#cut(prng, 'one way'),
      clog: (prng) => this.#cut(prng, 'clog'),
      clockJump: async (prng) => this.#node(prng)?.env.clock.jump(prng.between(-60_000, 60_000)),
      slowDisk: (prng) => this.#slowDisk(prng),
      fullDisk: (prng) => this.#fullDisk(prng),
      failSync: async (prng) => this.#failSync(prng),
      flipBit: (prng) => this.#flipBit(prng),
      wipe: (prng) => this.#wipe(prng),
      wipeHolder: (prng) => wipeHolder(this.#world, this.#repairs, prng),
      churn: (prng) => this.#repairs.churn(prng),
      transfer: async (prng) => this.#transfer(prng),
      killVoter: (prng) => killVoter(this.#world, prng),
      depose: (prng) => depose(this.#world, prng),
      stall: (prng) => stall(this.#world, prng),
    };
    for (const [name, strike] of Object.entries(kinds))
      void this.#loop(name as SettingName, strike);
    this.#watchSnapshots();
    this.#watchStates();
  }

  async #loop(name: SettingName, strike: Strike): Promise<void> {
    const world = this.#world;
    const perMinute = world.settings[name];
    if (perMinute === 0) return;
    const prng = world.prng(`fault ${name}`);
    for (;;) {
      await world.sleep((-Math.log(1 - prng.float()) * 60_000) / perMinute);
      if (world.isCalm) return;
      world.note(`fault ${name}`);
      await strike(prng);
    }
  }

  /** Fetching and installing a snapshot take milliseconds, which faults by rates seldom meet. */
  #watchSnapshots(): void {
    const world = this.#world;
    const { crashInstallPercent, fullFetchPercent } = world.settings;
    const prng = world.prng('fault at snapshots');
    world.onNodeTrace = (id, line) => {
      if (world.isCalm || !line.includes(' snapshots/')) return;
      const node = world.nodes.get(id)!;
      if (prng.chance(crashInstallPercent / 100)) void this.#crashSoon(node, prng);
      if (line.includes(' write ') && prng.chance(fullFetchPercent / 100))
        void this.#fill(node, prng);
    };
  }

  /** A disk that is full just when term, vote or peers are to be written; for who comes next it may have space. */
  #watchStates(): void {
    const world = this.#world;
    const { fullStatePercent } = world.settings;
    if (fullStatePercent === 0) return;
    const prng = world.prng('fault at states');
    const full = new Map<SimNode, number>();
    world.refusesAppend = (node, records) => {
      if (world.isCalm) return false;
      const hasState = records.some(({ group }) => group === stateGroupOf(shard));
      const isFull = (full.get(node) ?? 0) > world.nowMs;
      if (!isFull && hasState && prng.chance(fullStatePercent / 100)) {
        full.set(node, world.nowMs + this.#ms(prng));
        world.marks.hit('a disk was full when a state was written');
        // What waits for space may never get it.
        if (prng.chance(0.2)) void this.#crashSoon(node, prng);
        return true;
      }
      return isFull && prng.chance(0.5);
    };
  }

  async #crashSoon(node: SimNode, prng: Prng): Promise<void> {
    const { life } = node;
    const ms = this.#ms(prng);
    await this.#world.sleep((prng.chance(0.7) ? 0.3 : 3) * prng.float());
    if (life !== node.life || !node.isRunning) return;
    node.crash();
    await this.#world.sleep(ms);
    if (!node.isDamaged) node.start();
  }

  async #fill(node: SimNode, prng: Prng): Promise<void> {
    const { disk } = node.env;
    disk.setCapacity(disk.usedBytes());
    await this.#world.sleep(this.#ms(prng));
    disk.setCapacity(Infinity);
  }

  #node(prng: Prng): SimNode | undefined {
    const nodes = [...this.#world.nodes.values()].filter(({ isGone }) => !isGone);
    return nodes.length === 0 ? undefined : prng.pick(nodes);
  }

  /** Mostly short; now and then so short that the others do not notice. */
  #ms(prng: Prng): number {
    return prng.chance(0.4) ? 300 * prng.float() : 4000 * prng.float();
  }

  async #down(prng: Prng, end: (node: SimNode) => void): Promise<void> {
    const node = this.#node(prng);
    const ms = this.#ms(prng);
    if (node === undefined || !node.isRunning) return;
    end(node);
    // Now and then all go down together.
    const others = prng.chance(0.1) ? [...this.#world.nodes.values()] : [];
    for (const other of others) if (other.isRunning) end(other);
    await this.#world.sleep(ms);
    for (const each of [node, ...others]) if (!each.isDamaged) each.start();
  }

  async #pause(prng: Prng): Promise<void> {
    const node = this.#node(prng);
    const ms = this.#ms(prng);
    if (node === undefined || !node.isRunning || node.env.scheduler.isPaused) return;
    const { life } = node;
    node.env.scheduler.pause();
    await this.#world.sleep(ms);
    if (life === node.life) node.env.scheduler.resume();
  }

  async #cut(prng: Prng, how: 'node' | 'half' | 'one way' | 'clog'): Promise<void> {
    const { wires, nodes } = this.#world;
    const ids = prng.shuffle([...nodes.keys()]);
    const count = how === 'half' ? Math.floor(ids.length / 2) : 1;
    // Of one node, some of its paths or all of them; often it is the leader, and all.
    const leader = how === 'node' && prng.chance(0.5) ? this.#world.leader()?.node.id : undefined;
    const some = leader === undefined ? ids.slice(0, count) : [leader];
    const skipped = how === 'half' ? count : prng.between(count, ids.length - 1);
    const others = leader === undefined ? ids.slice(skipped) : ids.filter((id) => id !== leader);
    const delayMs = how === 'clog' ? 3000 * prng.float() : Infinity;
    const cuts = [wires.cut(some, others, delayMs)];
    if (how !== 'one way') cuts.push(wires.cut(others, some, delayMs));
    else if (prng.chance(0.5)) {
      cuts.pop()!.heal();
      cuts.push(wires.cut(others, some, delayMs));
    }
    await this.#world.sleep(2 * this.#ms(prng));
    for (const cut of cuts) cut.heal();
  }

  async #slowDisk(prng: Prng): Promise<void> {
    const node = this.#node(prng);
    const { disk } = node?.env ?? {};
    disk?.slowDown(10 ** (3 * prng.float()));
    await this.#world.sleep(this.#ms(prng));
    disk?.slowDown(1);
  }

  async #fullDisk(prng: Prng): Promise<void> {
    const disk = this.#node(prng)?.env.disk;
    disk?.setCapacity(disk.usedBytes() + prng.between(0, 8192));
    await this.#world.sleep(this.#ms(prng));
    disk?.setCapacity(Infinity);
  }

  #failSync(prng: Prng): void {
    const node = this.#node(prng);
    const nth = prng.between(1, 5);
    if (node === undefined || !node.isRunning || node.mayFail) return;
    node.mayFail = true;
    node.env.disk.fail({ operation: 'datasync', nth, path: 'wal' });
  }

  /** Only where a torn write cannot be: in a segment behind which another was begun. */
  async #flipBit(prng: Prng): Promise<void> {
    const node = this.#node(prng);
    if (node === undefined || !this.#repairs.mayDamage(node)) return;
    const { disk } = node.env;
    const used = disk
      .files()
      .filter(({ path }) => path.startsWith('wal/'))
      .filter(({ path }) =>
        disk
          .peek(path)
          .subarray(4096)
          .some((byte) => byte !== 0),
      )
      .sort((a, b) => (a.path < b.path ? -1 : 1));
    const older = used.slice(0, -1);
    if (older.length === 0) return;
    const { path, size } = prng.pick(older);
    node.isDamaged = true;
    node.kill();
    disk.flipBit(path, prng.below(size), prng.below(8));
    await this.#world.sleep(this.#ms(prng));
    // Another fault may come while it opens.
    while (node.replica === undefined && !this.#repairs.isReplacing(node)) {
      node.start();
      await this.#world.until(() => !node.isRunning || node.replica !== undefined, 10_000);
      await this.#world.sleep(10);
    }
    // The bit was one that nobody needs.
    if (node.replica !== undefined) node.isDamaged = false;
  }

  async #wipe(prng: Prng): Promise<void> {
    const node = this.#node(prng);
    if (node === undefined || !this.#repairs.mayDamage(node)) return;
    node.isDamaged = true;
    node.wipe();
    this.#repairs.damaged(node, prng.chance(0.7) ? 'comes back' : 'stays away');
    await this.#world.sleep(0);
  }

  #transfer(prng: Prng): void {
    const leader = this.#world.leader();
    const target = this.#node(prng);
    if (leader === undefined) return;
    const to = prng.chance(0.5) ? target?.id : undefined;
    void leader.node
      .ask((replica) => replica.transferLeadership(to))
      .then(
        () => this.#world.marks.hit('leadership transferred'),
        () => undefined,
      );
  }
}
