import { type AckedIndex, MajorityConfig, type VoteResult } from './majority.ts';

/**
 * The two halves of a joint configuration (thesis section 4.3): `incoming` is the membership being
 * moved to, `outgoing` the one being left. Decisions need a majority of both. Outside a joint state
 * `outgoing` is empty and therefore agrees with everything.
 */
export class JointConfig {
  readonly incoming: MajorityConfig;
  readonly outgoing: MajorityConfig;
  /** Members of either half, ascending. */
  readonly ids: readonly number[];

  constructor(incoming: MajorityConfig, outgoing: MajorityConfig = new MajorityConfig()) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.ids =
      outgoing.size === 0
        ? incoming.ids
        : new MajorityConfig([...incoming.ids, ...outgoing.ids]).ids;
  }

  get isJoint(): boolean {
    return this.outgoing.size > 0;
  }

  /** One voter in all: its own word is a quorum. */
  get isSingleton(): boolean {
    return this.incoming.size === 1 && !this.isJoint;
  }

  has(id: number): boolean {
    return this.incoming.has(id) || this.outgoing.has(id);
  }

  /** Jointly committed is what both halves have committed. */
  committedIndex(acked: AckedIndex): number {
    const incoming = this.incoming.committedIndex(acked);
    return this.isJoint ? Math.min(incoming, this.outgoing.committedIndex(acked)) : incoming;
  }

  /** Lost as soon as one half has lost, won once both have won. */
  voteResult(votes: ReadonlyMap<number, boolean>): VoteResult {
    const incoming = this.incoming.voteResult(votes);
    const outgoing = this.outgoing.voteResult(votes);
    if (incoming === outgoing) return incoming;
    return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
  }

  toString(): string {
    return this.isJoint ? `${this.incoming}&&${this.outgoing}` : `${this.incoming}`;
  }
}
