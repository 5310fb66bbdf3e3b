import type { Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import {
  ConfChangeTransition,
  ConfChangeType,
  confStateOf,
  type ConfChangeSingle,
  type ConfChangeV2,
  type Status,
} from '@themisdb/raft';
import type { MemberChange } from './contract.ts';

export interface MemberParts {
  readonly env: Pick<Env, 'timers' | 'clock'>;
  readonly nodeId: number;
  readonly status: () => Status;
  /** NOT_LEADER when it was not taken. */
  readonly propose: (change: ConfChangeV2) => void;
  /** A replica that begins with nothing must get a snapshot: it does not know the first membership. */
  readonly forceSnapshot: () => void;
  readonly transferLeadership: () => Promise<void>;
  readonly isHeard: (id: number) => boolean;
  /** Throws NOT_LEADER when this replica does not lead. */
  readonly mustLead: () => void;
}

/** A learner this close to the leader's commit index can be made a voter. */
const caughtUpEntries = 100;
const pollMs = 20;

/** Changes the members of a group, one change at a time. See `MemberChange`. */
export class Members {
  readonly #parts: MemberParts;
  #isChanging = false;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  async change(change: MemberChange, timeoutMs: number): Promise<void> {
    this.#parts.mustLead();
    if (this.#isChanging) throw refused('another change of members is under way');
    this.#isChanging = true;
    try {
      const endMs = this.#parts.env.clock.monotonicMs() + timeoutMs;
      await this.#run(change, endMs);
    } finally {
      this.#isChanging = false;
    }
  }

  async #run(change: MemberChange, endMs: number): Promise<void> {
    switch (change.type) {
      case 'add-learner':
        return this.#addLearner(change.id, endMs);
      case 'add':
        await this.#addLearner(change.id, endMs);
        return this.#promote(change.id, [], endMs);
      case 'remove':
        return this.#remove(change.id, endMs);
      case 'replace':
        this.#checkRemoval(change.id, change.by);
        if (change.id === this.#parts.nodeId) return this.#handOver();
        await this.#addLearner(change.by, endMs);
        return this.#promote(change.by, [change.id], endMs);
    }
  }

  async #addLearner(id: number, endMs: number): Promise<void> {
    const { voters, learners } = configOf(this.#parts.status());
    if (voters.has(id)) throw refused(`replica ${id} is a voter already`);
    this.#parts.forceSnapshot();
    if (!learners.has(id)) {
      await this.#propose([{ type: ConfChangeType.AddLearnerNode, nodeId: id }], endMs);
      await this.#until(endMs, () => configOf(this.#parts.status()).learners.has(id));
    }
    await this.#until(endMs, () => this.#hasCaughtUp(id));
  }

  #hasCaughtUp(id: number): boolean {
    const { progress, hardState } = this.#parts.status();
    const member = progress.get(id);
    return member?.state === 'replicate' && member.match + caughtUpEntries >= hardState.commit;
  }

  async #promote(id: number, removed: readonly number[], endMs: number): Promise<void> {
    const removals = removed.map((nodeId) => ({ type: ConfChangeType.RemoveNode, nodeId }));
    await this.#propose([{ type: ConfChangeType.AddNode, nodeId: id }, ...removals], endMs);
    await this.#until(endMs, () => {
      const { voters, outgoing } = configOf(this.#parts.status());
      return voters.has(id) && outgoing.size === 0 && removed.every((other) => !voters.has(other));
    });
  }

  async #remove(id: number, endMs: number): Promise<void> {
    const { voters, learners } = configOf(this.#parts.status());
    if (!voters.has(id) && !learners.has(id)) throw refused(`replica ${id} is no member`);
    if (voters.has(id)) this.#checkRemoval(id, undefined);
    if (id === this.#parts.nodeId) return this.#handOver();
    await this.#propose([{ type: ConfChangeType.RemoveNode, nodeId: id }], endMs);
    await this.#until(endMs, () => {
      const { voters: now, learners: left, outgoing } = configOf(this.#parts.status());
      return !now.has(id) && !left.has(id) && outgoing.size === 0;
    });
  }

  /** A leader does not remove itself: it hands over, and the next leader is to be asked. */
  async #handOver(): Promise<void> {
    await this.#parts.transferLeadership();
    this.#parts.mustLead();
  }

  /** The rest must have a quorum that is heard from. */
  #checkRemoval(id: number, by: number | undefined): void {
    const { voters } = configOf(this.#parts.status());
    if (!voters.has(id)) throw refused(`replica ${id} is no voter`);
    const rest = [...voters].filter((voter) => voter !== id);
    const size = rest.length + (by === undefined ? 0 : 1);
    if (size === 0) throw refused(`replica ${id} is the last voter`);
    const active = rest.filter((voter) => this.#parts.isHeard(voter));
    const quorum = Math.floor(size / 2) + 1;
    if (active.length + (by === undefined ? 0 : 1) < quorum)
      throw refused(
        `without replica ${id} only ${active.length} of ${size} voters would be there, ${quorum} are needed`,
      );
  }

  /**
   * The core takes a change for none, and says nothing, while an earlier one is not applied to its end: the
   * members are changed before the store has written, and a joint membership is left by itself.
   */
  async #propose(changes: readonly ConfChangeSingle[], endMs: number): Promise<void> {
    const { commit } = this.#parts.status().hardState;
    await this.#until(endMs, () => {
      const { applied, config } = this.#parts.status();
      return applied >= commit && configOf({ config }).outgoing.size === 0;
    });
    this.#parts.mustLead();
    this.#parts.propose({ changes, transition: ConfChangeTransition.Auto });
  }

  async #until(endMs: number, isDone: () => boolean): Promise<void> {
    const { env, mustLead } = this.#parts;
    for (;;) {
      mustLead();
      if (isDone()) return;
      if (env.clock.monotonicMs() > endMs)
        throw themisError('REQUEST_TIMEOUT', {
          message: 'the change of members did not come into force in time; it may still do so',
        });
      await env.timers.sleep(pollMs);
    }
  }
}

function configOf({ config }: Pick<Status, 'config'>): {
  readonly voters: ReadonlySet<number>;
  readonly learners: ReadonlySet<number>;
  readonly outgoing: ReadonlySet<number>;
} {
  const { voters, learners, votersOutgoing } = confStateOf(config);
  return {
    voters: new Set(voters),
    learners: new Set(learners),
    outgoing: new Set(votersOutgoing),
  };
}

function refused(why: string): Error {
  return themisError('MEMBER_CHANGE_REFUSED', { message: why });
}
