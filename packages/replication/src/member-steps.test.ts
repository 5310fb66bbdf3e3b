import { expect, test } from 'vitest';
import {
  ConfChangeType,
  JointConfig,
  MajorityConfig,
  decodeConfChange,
  isConfChangeEntry,
  type ConfChangeV2,
  type ProgressState,
  type ProgressView,
  type Status,
} from '@themisdb/raft';
import { makeSimEnv } from '@themisdb/testing';
import type { Replica } from './contract.ts';
import { Members } from './members.ts';
import { withTrio } from './testing/group-use.ts';
import type { SimGroup } from './testing/sim-group.ts';

// Which steps a change of members is made of, and what each of them waits for.

const refused = { code: 'MEMBER_CHANGE_REFUSED' };
const nameOf = new Map(Object.entries(ConfChangeType).map(([name, type]) => [type, name]));

/** `AddNode 4, RemoveNode 3`; empty for the end of a joint membership. */
function describe({ changes }: ConfChangeV2): string {
  return changes.map(({ type, nodeId }) => `${nameOf.get(type)} ${nodeId}`).join(', ');
}

/** A leader 1 of the voters 1, 2 and 3, whose changes are in force at once. */
class FakeLeader {
  readonly env = makeSimEnv(1);
  readonly proposed: string[] = [];
  readonly commit = 500;
  voters: readonly number[] = [1, 2, 3];
  outgoing: readonly number[] = [];
  learners: readonly number[] = [];
  readonly progress = new Map<number, Pick<ProgressView, 'state' | 'match'>>();
  /** How long a joint membership stays. */
  jointMs = 0;
  readonly members = new Members({
    env: this.env,
    nodeId: 1,
    status: () => this.#status(),
    propose: (change) => this.#propose(change),
    forceSnapshot: () => {},
    transferLeadership: async () => {},
    isHeard: () => true,
    mustLead: () => {},
  });

  #status(): Status {
    return {
      applied: this.commit,
      hardState: { term: 1, vote: 1, commit: this.commit },
      config: {
        voters: new JointConfig(new MajorityConfig(this.voters), new MajorityConfig(this.outgoing)),
        learners: this.learners,
        learnersNext: [],
        autoLeave: true,
      },
      progress: this.progress,
    } as unknown as Status;
  }

  #propose(change: ConfChangeV2): void {
    this.proposed.push(describe(change));
    if (change.changes.length > 1) {
      this.outgoing = this.voters;
      this.env.timers.after(this.jointMs, () => (this.outgoing = []));
    }
    for (const { type, nodeId } of change.changes) this.#make(type, nodeId);
  }

  #make(type: ConfChangeType, id: number): void {
    this.learners = this.learners.filter((other) => other !== id);
    if (type === ConfChangeType.AddNode) this.voters = [...this.voters, id];
    else if (type === ConfChangeType.RemoveNode)
      this.voters = this.voters.filter((other) => other !== id);
    else {
      this.learners = [...this.learners, id];
      this.progress.set(id, { state: 'probe', match: 0 });
    }
  }
}

const add4 = ['AddLearnerNode 4', 'AddNode 4'];

test.each<{ state: ProgressState; behind: number; steps: readonly string[] }>([
  { state: 'replicate', behind: 100, steps: add4 },
  { state: 'replicate', behind: 101, steps: ['AddLearnerNode 4'] },
  { state: 'snapshot', behind: 0, steps: ['AddLearnerNode 4'] },
  { state: 'probe', behind: 0, steps: ['AddLearnerNode 4'] },
])('a learner $behind entries behind, in $state: $steps', ({ state, behind, steps }) => {
  const leader = new FakeLeader();
  const { env, members } = leader;
  return env.run(async () => {
    const change = members.change({ type: 'add', id: 4 }, 10_000);
    void change.catch(() => undefined);
    await env.timers.sleep(100);
    leader.progress.set(4, { state, match: leader.commit - behind });
    await env.timers.sleep(9000);
    expect(leader.proposed).toEqual(steps);
    leader.progress.set(4, { state: 'replicate', match: leader.commit });
    await change;
    expect(leader.proposed).toEqual(add4);
  });
});

test('an exchange is over when the joint membership is', () => {
  const leader = new FakeLeader();
  const { env, members } = leader;
  leader.jointMs = 5000;
  return env.run(async () => {
    const change = members.change({ type: 'replace', id: 3, by: 4 }, 10_000);
    await env.timers.sleep(10);
    leader.progress.set(4, { state: 'replicate', match: leader.commit });
    await change;
    expect(leader.proposed).toEqual(['AddLearnerNode 4', 'AddNode 4, RemoveNode 3']);
    expect(env.clock.monotonicMs()).toBeGreaterThan(5000);
  });
});

/** The changes that the members were sent, in the order of the log. */
function changesOf(group: SimGroup): () => string[] {
  const changes = new Map<number, string>();
  group.onSend = (_from, { messages }) => {
    for (const entry of messages.flatMap(({ entries }) => entries))
      if (isConfChangeEntry(entry))
        changes.set(entry.index, describe(decodeConfChange(entry) as ConfChangeV2));
  };
  return () => [...changes].sort(([a], [b]) => a - b).map(([, change]) => change);
}

function otherThan({ nodeId }: Replica): number {
  return nodeId === 3 ? 2 : 3;
}

test('who cannot be reached stays a learner, and one that was reached is exchanged in one step', () =>
  withTrio(101, async (group, leader) => {
    const changes = changesOf(group);
    const gone = otherThan(leader);
    await group.open(4);
    group.cut(4);
    const change = leader.changeMembers({ type: 'replace', id: gone, by: 4 });
    await group.sleep(5000);
    expect(leader.status().members.find(({ id }) => id === 4)).toMatchObject({ isVoter: false });
    expect(changes()).toEqual(['AddLearnerNode 4']);
    group.heal();
    await change;
    expect(changes()).toEqual(['AddLearnerNode 4', `AddNode 4, RemoveNode ${gone}`, '']);
    const ids = [1, 2, 3, 4].filter((id) => id !== gone);
    expect(leader.status().members.map(({ id, isVoter }) => (isVoter ? id : -id))).toEqual(ids);
  }));

test('a change is refused while another is under way, whatever became of that, and not after', () =>
  withTrio(102, async (group, leader) => {
    const changes = changesOf(group);
    const gone = otherThan(leader);
    const first = leader.changeMembers({ type: 'add', id: 4 }, { timeoutMs: 2000 });
    const ended = expect(first).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    await expect(leader.changeMembers({ type: 'remove', id: gone })).rejects.toMatchObject(refused);
    await group.sleep(1000);
    await expect(leader.changeMembers({ type: 'remove', id: gone })).rejects.toMatchObject(refused);
    await ended;
    expect(changes()).toEqual(['AddLearnerNode 4']);
    await leader.changeMembers({ type: 'remove', id: 4 });
    expect(changes()).toEqual(['AddLearnerNode 4', 'RemoveNode 4']);
  }));

// The core leaves a joint membership with what is applied next. Where that is dropped for a transfer of
// leadership, and nothing is written any more, nobody else would.
test('members do not stay joint when the end of it was lost', () =>
  withTrio(103, async (group, leader) => {
    const gone = otherThan(leader);
    const deaf = 6 - leader.nodeId - gone;
    await group.open(4);
    await leader.changeMembers({ type: 'add-learner', id: 4 });
    const changes = changesOf(group);
    const collect = group.onSend;
    let transfer: Promise<void> | undefined;
    group.cut(deaf);
    group.onSend = (from, batch, to) => {
      collect(from, batch, to);
      if (changes().length === 0 || transfer !== undefined) return;
      transfer = leader.transferLeadership(deaf);
      void transfer.catch(() => undefined);
    };
    await leader.changeMembers({ type: 'replace', id: gone, by: 4 }, { timeoutMs: 10_000 });
    await expect(transfer).rejects.toMatchObject(refused);
    expect(changes()).toEqual([`AddNode 4, RemoveNode ${gone}`, '']);
  }));
