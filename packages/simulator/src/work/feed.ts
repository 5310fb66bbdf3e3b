import type { Change, ChangeToken } from '@themisdb/storage';
import type { World } from '../world/world.ts';
import type { Session } from './session.ts';
import type { Workload } from './workload.ts';

const start: ChangeToken = { index: 0, n: 0 };

/**
 * Reads the change feed, now at this node and now at that, from where it was: in order, without gaps and
 * without repetition. In the end it has read what the leader has.
 */
export class Feed implements Workload {
  readonly collections: readonly string[] = [];
  readonly #world: World;
  readonly #readers = new Map<string, { at: ChangeToken; readonly changes: Change[] }>();

  constructor(world: World) {
    this.#world = world;
  }

  get size(): number {
    return [...this.#readers.values()].reduce((sum, { changes }) => sum + changes.length, 0);
  }

  async run(session: Session): Promise<void> {
    this.#readers.set(session.id, { at: start, changes: [] });
    while (session.goesOn) {
      await this.#world.sleep(100 + 400 * session.prng.float());
      await this.#readMore(session, session.anyNode());
    }
  }

  async check(session: Session): Promise<void> {
    const nodeId = this.#world.leader()!.node.id;
    const all = await this.#readAll(session, nodeId);
    for (const [id, reader] of this.#readers) {
      const rest = await this.#readAll(session, nodeId, reader.at);
      const read = [...reader.changes, ...rest].map(describe);
      const expected = all.map(describe);
      const at = expected.findIndex((change, i) => change !== read[i]);
      this.#world.violations.check(
        at < 0 && read.length === expected.length,
        'change feed without gaps',
        () => `${id} read ${read.length} of ${expected.length}: ${read[at]}, not ${expected[at]}`,
      );
    }
    this.#checkOrder(all);
  }

  async #readAll(session: Session, nodeId: number, from = start): Promise<Change[]> {
    const changes: Change[] = [];
    for (let at = from; ;) {
      const answer = await session.call(
        nodeId,
        ({ store }) => store.readChanges({ after: at, limit: 500 }),
        5000,
      );
      if (answer.type !== 'ok') continue;
      changes.push(...answer.value.changes);
      const { next } = answer.value;
      if (next.index === at.index && next.n === at.n) return changes;
      at = next;
    }
  }

  async #readMore(session: Session, nodeId: number): Promise<void> {
    const reader = this.#readers.get(session.id)!;
    const limit = session.prng.between(1, 50);
    const answer = await session.call(
      nodeId,
      ({ store }) => store.readChanges({ after: reader.at, limit }),
      3000,
    );
    if (answer.type !== 'ok') return;
    const { changes, next } = answer.value;
    reader.changes.push(...changes);
    reader.at = next;
  }

  /** Each change names the version it superseded, and times rise with places. */
  #checkOrder(changes: readonly Change[]): void {
    const versions = new Map<string, bigint>();
    let before: Change | undefined;
    for (const change of changes) {
      const isAfter =
        before === undefined ||
        change.token.index > before.token.index ||
        (change.token.index === before.token.index && change.token.n > before.token.n);
      const isLater = before === undefined || change.timestamp >= before.timestamp;
      this.#world.violations.check(isAfter && isLater, 'changes in order', () => describe(change));
      const { uuid, previousVersion, operation } = change;
      if (uuid !== undefined) {
        this.#world.violations.check(
          versions.get(uuid) === previousVersion,
          'changes name what they supersede',
          () => `${describe(change)} supersedes ${previousVersion}, not ${versions.get(uuid)}`,
        );
        if (operation === 'remove') versions.delete(uuid);
        else versions.set(uuid, change.timestamp);
      }
      before = change;
    }
  }
}

function describe({ token, timestamp, operation, collection, uuid }: Change): string {
  return `${token.index}.${token.n} ${timestamp} ${operation} ${collection} ${uuid}`;
}
