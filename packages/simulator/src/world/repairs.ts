import { hasCode, type Prng } from '@themisdb/base';
import type { MemberChange } from '@themisdb/replication';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

const retryMs = 200;

/** Changes of members, one after the other: replicas that lost their data are replaced, others at will. */
export class Repairs {
  readonly #world: World;
  readonly #damaged = new Set<SimNode>();
  #last: Promise<void> = Promise.resolve();
  #isBusy = false;

  constructor(world: World) {
    this.#world = world;
    world.onDamaged = (node) => this.damaged(node, 'stays away');
  }

  /** Resolves when nothing is left to repair. */
  async done(): Promise<void> {
    for (let last; last !== this.#last;) {
      last = this.#last;
      await last;
    }
  }

  /** One at a time, and only as long as the others can do without. */
  mayDamage(node: SimNode): boolean {
    const leader = this.#world.leader();
    const nodes = [...this.#world.nodes.values()];
    if (leader === undefined || this.#isBusy || nodes.some(({ isDamaged }) => isDamaged))
      return false;
    const voters = leader.replica.status().members.filter(({ isVoter }) => isVoter);
    return (
      voters.length >= 3 &&
      voters.some(({ id }) => id === node.id) &&
      voters.every(({ id }) => this.#world.nodes.get(id)?.isGone === false)
    );
  }

  isReplacing(node: SimNode): boolean {
    return this.#damaged.has(node) || node.isGone;
  }

  /** It is replaced; meanwhile it may come back under its old id, with nothing. */
  damaged(node: SimNode, how: 'comes back' | 'stays away'): void {
    if (this.#damaged.has(node)) return;
    this.#damaged.add(node);
    if (how === 'comes back') node.start();
    this.#queue(async () => {
      await this.#world.sleep(how === 'comes back' ? 3000 : 500);
      await this.#replace(node);
      this.#damaged.delete(node);
    });
  }

  async churn(prng: Prng): Promise<void> {
    if (this.#isBusy || this.#damaged.size > 0) return;
    const leader = this.#world.leader();
    if (leader === undefined) return;
    const voters = leader.replica.status().members.filter(({ isVoter }) => isVoter);
    const node = this.#world.nodes.get(prng.pick(voters).id)!;
    const isMore = voters.length > this.#world.settings.nodes;
    if (prng.chance(0.6)) this.#queue(() => this.#replace(node));
    else if (isMore) this.#queue(() => this.#remove(node));
    else this.#queue(() => this.#add());
    await this.#last;
  }

  #queue(work: () => Promise<void>): void {
    this.#last = this.#last.then(async () => {
      this.#isBusy = true;
      await work();
      this.#isBusy = false;
    });
  }

  async #replace(node: SimNode): Promise<void> {
    // Another change may have had it meanwhile.
    if (node.isGone) return;
    const joiner = this.#world.addJoiner();
    joiner.start();
    await this.#change({ type: 'replace', id: node.id, by: joiner.id }, (voters) => {
      return voters.has(joiner.id) && !voters.has(node.id);
    });
    this.#world.marks.hit('replica replaced');
    await this.#retire(node);
  }

  async #add(): Promise<void> {
    const joiner = this.#world.addJoiner();
    joiner.start();
    await this.#change({ type: 'add', id: joiner.id }, (voters) => voters.has(joiner.id));
    this.#world.marks.hit('replica added');
  }

  async #remove(node: SimNode): Promise<void> {
    if (node.isGone) return;
    await this.#change({ type: 'remove', id: node.id }, (voters) => !voters.has(node.id));
    this.#world.marks.hit('replica removed');
    await this.#retire(node);
  }

  /** A removed one goes on for a while, and must not disturb the others. */
  async #retire(node: SimNode): Promise<void> {
    await this.#world.sleep(1000);
    node.kill();
    node.isGone = true;
    node.isDamaged = false;
  }

  async #change(
    change: MemberChange,
    isDone: (voters: ReadonlySet<number>) => boolean,
  ): Promise<void> {
    for (;;) {
      const leader = this.#world.leader();
      if (leader !== undefined) {
        const { replica } = leader;
        const attempt = leader.node.ask((one) => one.changeMembers(change, { timeoutMs: 10_000 }));
        // A leader that dies never answers.
        const outcome = await Promise.race([
          attempt.then(
            () => undefined,
            (error: unknown) => error,
          ),
          this.#world.until(() => leader.node.replica !== replica, 15_000),
        ]);
        this.#world.note(`${JSON.stringify(change)} at ${leader.node.id}: ${String(outcome)}`);
        if (outcome !== undefined && outcome !== true && outcome !== false)
          this.#mustBeKnown(outcome);
        const strong = this.#world.leader()?.replica.status().members ?? [];
        const voters = strong.filter(({ isVoter }) => isVoter).map(({ id }) => id);
        if (voters.length > 0 && isDone(new Set(voters)) && outcome === undefined) return;
        if (hasCode(outcome, 'MEMBER_CHANGE_REFUSED') && isDone(new Set(voters))) return;
      }
      await this.#world.sleep(retryMs);
    }
  }

  #mustBeKnown(error: unknown): void {
    const known = [
      'NOT_LEADER',
      'MEMBER_CHANGE_REFUSED',
      'REQUEST_TIMEOUT',
      'STORE_FAILED',
      'SHUTTING_DOWN',
    ] as const;
    if (!hasCode(error, ...known))
      this.#world.violations.report('member changes end in known ways', String(error));
  }
}
