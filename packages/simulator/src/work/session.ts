import { hasCode, isThemisError, type Prng } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Replica } from '@themisdb/replication';
import type { Transaction } from '@themisdb/storage';
import type { NodeEnv } from '../world/node-env.ts';
import { stackOf } from '../world/node.ts';
import type { World } from '../world/world.ts';

/**
 * - `ok`: the answer of the node.
 * - `failed`: certainly nothing happened.
 * - `unknown`: nobody answered, or the node does not know.
 */
export type Answer<T> =
  | { readonly type: 'ok'; readonly value: T }
  | { readonly type: 'failed'; readonly error?: unknown }
  | { readonly type: 'unknown'; readonly error?: unknown };

export type Work<T> = (replica: Replica, env: NodeEnv) => Promise<T>;

const certain = [
  'NOT_LEADER',
  'NO_LEADER',
  'WRITE_CONFLICT',
  'DISK_FULL',
  'TOO_MANY_REQUESTS',
  'PRECONDITION_FAILED',
  'KEY_EXISTS',
  'SHUTTING_DOWN',
  'COLLECTION_NOT_FOUND',
  'INDEX_NOT_FOUND',
] as const;
const uncertain = ['UNKNOWN_OUTCOME', 'STORE_FAILED'] as const;

/** A client: sends whole requests to nodes and waits for the answers, one after the other. */
export class Session {
  readonly id: string;
  readonly world: World;
  readonly prng: Prng;
  #leader = 1;

  constructor(world: World, id: string) {
    this.world = world;
    this.id = id;
    this.prng = world.prng(`session ${id}`);
  }

  get nowMs(): number {
    return this.world.nowMs;
  }

  /** While faults come; then every session ends with what it is doing. */
  get goesOn(): boolean {
    return !this.world.isCalm;
  }

  think(): Promise<void> {
    return this.world.sleep(-Math.log(1 - this.prng.float()) * this.world.settings.thinkMs);
  }

  anyNode(): number {
    return this.prng.pick([...this.world.nodes.keys()]);
  }

  /**
   * Goes where the leader was last; follows what it is told. Now and then it tries another node, or is
   * soon out of patience: or nobody would find a new leader as long as the old one holds its breath.
   */
  async write<T>(work: Work<T>): Promise<Answer<T>> {
    const nodeId = this.prng.chance(0.15) ? this.anyNode() : this.#leader;
    const answer = await this.call(nodeId, work, this.prng.pick([300, 1000, 5000]));
    if (answer.type === 'ok') return answer;
    const { error } = answer;
    const told = hasCode(error, 'NOT_LEADER') && isThemisError(error) ? error.details : undefined;
    const leader = told?.['leader'];
    this.#leader = typeof leader === 'number' ? leader : this.anyNode();
    if (hasCode(error, 'UNKNOWN_OUTCOME')) this.world.marks.hit('a commit ended as unknown');
    return answer;
  }

  /** As a server does it: when the time of the request is over, nobody waits for the commit any more. */
  async commit(t: Transaction, { timers }: NodeEnv): Promise<bigint> {
    const { cutCommitPercent } = this.world.settings;
    if (cutCommitPercent === 0 || !this.prng.chance(cutCommitPercent / 100)) return t.commit();
    const late = timers.sleep((this.prng.chance(0.5) ? 2 : 50) * this.prng.float()).then(() => {
      this.world.marks.hit('a commit was not waited for');
      throw themisError('UNKNOWN_OUTCOME', { message: 'the time of the request is over' });
    });
    return Promise.race([t.commit(), late]);
  }

  async call<T>(nodeId: number, work: Work<T>, timeoutMs: number): Promise<Answer<T>> {
    const { world, prng } = this;
    const { delayMs, lossPercent } = world.settings;
    const isLossy = lossPercent > 0 && !world.isCalm;
    return new Promise((resolve) => {
      let isOver = false;
      const settle = (answer: Answer<T>): void => {
        if (isOver) return;
        isOver = true;
        timer.cancel();
        resolve(answer);
      };
      const timer = world.scheduler.at(timeoutMs, () => settle({ type: 'unknown' }));
      const back = (answer: Answer<T>): void => {
        if (isLossy && prng.chance(0.01)) return;
        world.scheduler.at(delayMs * prng.float(), () => settle(answer));
      };
      world.scheduler.at(delayMs * prng.float(), () => this.#deliver(nodeId, work, back));
    });
  }

  #deliver<T>(nodeId: number, work: Work<T>, back: (answer: Answer<T>) => void): void {
    const node = this.world.nodes.get(nodeId);
    if (node?.replica === undefined) return back({ type: 'failed' });
    const { life } = node;
    node.env.scheduler.at(0, () => {
      const { replica } = node;
      if (life !== node.life || replica === undefined) return;
      const isOver = this.world.requests.begin(node, `${this.id} at ${this.nowMs}`);
      work(replica, node.env)
        .finally(isOver)
        .then(
          (value) => back({ type: 'ok', value }),
          (error: unknown) => back(this.#judge(error)),
        );
    });
  }

  #judge(error: unknown): Answer<never> {
    if (hasCode(error, ...certain)) return { type: 'failed', error };
    if (!hasCode(error, ...uncertain))
      this.world.violations.report('requests end in known ways', stackOf(error));
    return { type: 'unknown', error };
  }
}
