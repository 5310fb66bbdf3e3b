import type { Log } from '@themisdb/base';
import type { RaftBatch } from './contract.ts';
import type { ReplicaLog } from './replica-log.ts';

/**
 * Which life of each peer is the one that may speak. The first that does is remembered durably; one that
 * comes under the same id with another incarnation has lost its disk, and what it promised before with
 * it: it could help to elect a leader that lacks committed entries, so it is not listened to. It comes
 * back as a new member, under a new id.
 *
 * Members that do not know each other yet greet each other with an empty batch: one that was only ever
 * heard by its leader could come back empty, and find somebody who takes it for what it was.
 */
export class Peers {
  readonly #log: ReplicaLog;
  readonly #report: Log;
  readonly #failed: (error: unknown) => void;
  readonly #refused = new Set<string>();
  readonly #learning = new Set<number>();
  readonly #strangers = new Set<number>();

  /** `failed` is told when the log is: nobody else may be waiting for it. */
  constructor(log: ReplicaLog, report: Log, failed: (error: unknown) => void) {
    this.#failed = failed;
    this.#log = log;
    this.#report = report;
  }

  /** Whether messages of the batch may be taken. Those of a peer are dropped until it is known durably. */
  accepts(from: number, { incarnation, toIncarnation }: RaftBatch): boolean {
    if (toIncarnation === 0) this.#strangers.add(from);
    const known = this.#log.state.peers.get(from);
    if (known === incarnation) return !this.#learning.has(from);
    if (known === undefined) this.#learn(from, incarnation);
    else this.#refuse(from, incarnation);
    return false;
  }

  /** Those of `others` that this replica does not know, or that said they do not know it. */
  toGreet(others: readonly number[]): readonly number[] {
    const { peers } = this.#log.state;
    const ids = others.filter((id) => !peers.has(id) || this.#strangers.has(id));
    this.#strangers.clear();
    return ids;
  }

  #learn(from: number, incarnation: number): void {
    if (this.#learning.has(from)) return;
    this.#learning.add(from);
    const peers = new Map(this.#log.state.peers).set(from, incarnation);
    this.#log.saveState({ peers }).then(() => this.#learning.delete(from), this.#failed);
  }

  #refuse(from: number, incarnation: number): void {
    const name = `${from} ${incarnation}`;
    if (this.#refused.has(name)) return;
    this.#refused.add(name);
    this.#report.write('error', 'a replica has lost its data and is ignored; add it anew', {
      replica: from,
    });
  }
}
