import type { Env } from '@themisdb/base';
import type { SnapshotMetadata, Status } from '@themisdb/raft';
import type { OutgoingSnapshots } from './outgoing-snapshots.ts';

export interface SentSnapshotsParts {
  readonly env: Pick<Env, 'timers'>;
  readonly outgoing: OutgoingSnapshots;
  /** How long a peer may take to begin to read. */
  readonly patienceMs: number;
  /** Of the core while it leads. */
  readonly progressOf: (id: number) => ReturnType<Status['progress']['get']>;
  /** The peer does not read it, nor is it done. */
  readonly failed: (to: number) => void;
}

/**
 * The snapshots that peers were sent word of and may still need. The core hears of the end by the
 * follower's answer; where none comes in a long time, it tries again from what it knows.
 */
export class SentSnapshots {
  readonly #parts: SentSnapshotsParts;
  readonly #indexes = new Map<number, number>();

  constructor(parts: SentSnapshotsParts) {
    this.#parts = parts;
  }

  /** Entries behind it are needed by somebody; infinite when none is on its way. */
  get lowestIndex(): number {
    return Math.min(...this.#indexes.values());
  }

  sent(to: number, { index }: Pick<SnapshotMetadata, 'index'>): void {
    this.#indexes.set(to, index);
    this.#lookLater(to, index);
  }

  #lookLater(to: number, index: number): void {
    const { env, patienceMs } = this.#parts;
    env.timers.after(patienceMs, () => this.#look(to, index));
  }

  #look(to: number, index: number): void {
    const { outgoing, progressOf, failed } = this.#parts;
    const member = progressOf(to);
    const isNeeded = member?.state === 'snapshot' && member.pendingSnapshot === index;
    if (isNeeded && outgoing.isRead(index)) return this.#lookLater(to, index);
    if (this.#indexes.get(to) === index) this.#indexes.delete(to);
    if (isNeeded) failed(to);
  }
}
