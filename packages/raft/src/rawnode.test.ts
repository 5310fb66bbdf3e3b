import { InvariantError, invariants, Prng, utf8Encode } from '@themisdb/base';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeConfChange } from './confchange/codec.ts';
import { MemoryStorage } from './memory-storage.ts';
import { makeMessage } from './message.ts';
import { RawNode } from './rawnode.ts';
import {
  ConfChangeType,
  type Entry,
  EntryType,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  MessageType,
  NO_LIMIT,
  type RaftConfig,
  type Ready,
  StateType,
} from './types.ts';

beforeAll(() => {
  invariants.enabled = true;
});

/** A host: one node, its storage, and what it was told to send and to apply. */
class Host {
  readonly storage = new MemoryStorage();
  readonly sent: Message[] = [];
  readonly applied: Entry[] = [];
  readonly node: RawNode;

  constructor(id: number, voters: number[], options: Partial<RaftConfig> = {}) {
    const confState = {
      voters,
      learners: [],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
    if (voters.length > 0) {
      this.storage.applySnapshot({ data: undefined, metadata: { index: 1, term: 1, confState } });
    }
    const prng = new Prng(id);
    this.node = new RawNode({
      id,
      storage: this.storage,
      electionTicks: 10,
      heartbeatTicks: 1,
      random: (bound) => prng.below(bound),
      messageBytesMax: NO_LIMIT,
      inflightMessagesMax: 256,
      ...options,
    });
  }

  /** Handles Readys until there are none; returns what the last one held. */
  settle(): Ready | undefined {
    let last: Ready | undefined;
    while (this.node.hasReady()) {
      last = this.node.ready();
      if (last.hardState !== undefined) this.storage.setHardState(last.hardState);
      this.storage.append(last.entries);
      this.sent.push(...last.messages);
      for (const entry of last.committedEntries) this.#apply(entry);
      this.node.advance();
    }
    return last;
  }

  #apply(entry: Entry): void {
    const change = decodeConfChange(entry);
    if (change !== undefined) this.node.applyConfChange(change);
    this.applied.push(entry);
  }
}

class Cluster {
  readonly hosts: readonly Host[];

  constructor(count: number, options: Partial<RaftConfig> = {}) {
    const ids = Array.from({ length: count }, (_, at) => at + 1);
    this.hosts = ids.map((id) => new Host(id, ids, options));
  }

  host(id: number): Host {
    return this.hosts[id - 1]!;
  }

  /** Delivers everything, until all is quiet. */
  settle(): void {
    for (let busy = true; busy;) {
      for (const host of this.hosts) host.settle();
      const messages = this.hosts.flatMap(({ sent }) => sent.splice(0));
      for (const message of messages) this.host(message.to).node.step(message);
      busy = messages.length > 0;
    }
  }

  states(): StateType[] {
    return this.hosts.map(({ node }) => node.basicStatus().softState.raftState);
  }
}

const textOf = ({ data }: Entry): string => new TextDecoder().decode(data ?? new Uint8Array(0));

describe('one voter', () => {
  test('elects itself and commits what it is given', () => {
    const host = new Host(1, [1]);
    expect(host.node.campaign()).toBe('ok');
    host.settle();
    expect(host.node.propose(utf8Encode('a'))).toBe('ok');
    expect(host.node.proposeAll([utf8Encode('b'), utf8Encode('c')])).toBe('ok');
    host.settle();
    expect(host.applied.map(textOf)).toEqual(['', 'a', 'b', 'c']);
    expect(host.sent).toEqual([]);
  });

  test('does not commit an entry before its own copy is stable', () => {
    const host = new Host(1, [1]);
    host.node.campaign();
    host.settle();
    host.node.propose(utf8Encode('a'));
    const ready = host.node.ready();
    expect(ready.entries.map(textOf)).toEqual(['a']);
    expect(ready.committedEntries).toEqual([]);
    expect(ready.mustSync).toBe(true);
  });

  test('becomes leader of a bootstrapped group', () => {
    const host = new Host(1, []);
    host.node.bootstrap([{ id: 1, context: utf8Encode('first') }]);
    host.settle();
    expect(host.applied.map(({ type }) => type)).toEqual([EntryType.ConfChange]);
    host.node.campaign();
    host.settle();
    expect(host.node.status().config.voters.ids).toEqual([1]);
    expect(host.node.basicStatus().hardState).toEqual({ term: 2, vote: 1, commit: 2 });
  });
});

describe('three voters', () => {
  test('elect a leader by ticks alone', () => {
    const cluster = new Cluster(3);
    for (let tick = 0; tick < 20; tick++) {
      for (const { node } of cluster.hosts) node.tick();
      cluster.settle();
    }
    expect(cluster.states().filter((state) => state === StateType.Leader)).toHaveLength(1);
  });

  test('apply the same entries in the same order', () => {
    const cluster = new Cluster(3);
    cluster.host(1).node.campaign();
    cluster.settle();
    for (const text of ['a', 'b', 'c']) cluster.host(1).node.propose(utf8Encode(text));
    cluster.settle();
    for (const { applied } of cluster.hosts)
      expect(applied.map(textOf)).toEqual(['', 'a', 'b', 'c']);
  });

  test('a follower passes a proposal on, unless that is switched off', () => {
    const cluster = new Cluster(3);
    cluster.host(1).node.campaign();
    cluster.settle();
    expect(cluster.host(2).node.propose(utf8Encode('a'))).toBe('ok');
    cluster.settle();
    expect(cluster.host(3).applied.map(textOf)).toEqual(['', 'a']);

    const strict = new Cluster(3, { disableProposalForwarding: true });
    strict.host(1).node.campaign();
    strict.settle();
    expect(strict.host(2).node.propose(utf8Encode('a'))).toBe('proposal-dropped');
  });

  test('a read is confirmed for the node that asked', () => {
    const cluster = new Cluster(3);
    cluster.host(1).node.campaign();
    cluster.settle();
    const { node } = cluster.host(2);
    node.readIndex(utf8Encode('r1'));
    let read: Ready | undefined;
    for (let round = 0; round < 6; round++) {
      for (const host of cluster.hosts) {
        const ready = host.settle();
        if (ready !== undefined && ready.readStates.length > 0) read = ready;
      }
      for (const message of cluster.hosts.flatMap(({ sent }) => sent.splice(0))) {
        cluster.host(message.to).node.step(message);
      }
    }
    expect(read?.readStates).toEqual([{ index: 2, context: utf8Encode('r1') }]);
  });

  test('membership changes one at a time', () => {
    const cluster = new Cluster(3);
    cluster.host(1).node.campaign();
    cluster.settle();
    const { node } = cluster.host(1);
    expect(node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 3 })).toBe('ok');
    expect(node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 2 })).toBe('ok');
    cluster.settle();
    expect(node.status().config.voters.ids).toEqual([1, 2]);
    // The second change went in as an empty entry.
    expect(cluster.host(1).applied.map(({ type }) => type)).toEqual([
      undefined,
      EntryType.ConfChange,
      EntryType.Normal,
    ]);
  });
});

describe('limits', () => {
  test('proposals over the uncommitted limit are dropped until entries are applied', () => {
    const host = new Host(1, [1], { uncommittedBytesMax: 10 });
    host.node.campaign();
    host.settle();
    expect(host.node.propose(new Uint8Array(50))).toBe('ok');
    expect(host.node.propose(new Uint8Array(1))).toBe('proposal-dropped');
    expect(host.node.propose(undefined)).toBe('ok');
    host.settle();
    expect(host.node.propose(new Uint8Array(1))).toBe('ok');
  });

  test('one entry a message means one entry at a time for the application too', () => {
    const host = new Host(1, [1], { messageBytesMax: 0 });
    host.node.campaign();
    host.settle();
    host.node.proposeAll(['a', 'b', 'c'].map(utf8Encode));
    const portions: string[][] = [];
    while (host.node.hasReady()) {
      const { entries, committedEntries } = host.node.ready();
      host.storage.append(entries);
      if (committedEntries.length > 0) portions.push(committedEntries.map(textOf));
      host.node.advance();
    }
    expect(portions).toEqual([['a'], ['b'], ['c']]);
  });

  test('a candidate and a leaderless follower take no proposal', () => {
    const host = new Host(1, [1, 2, 3]);
    expect(host.node.propose(utf8Encode('a'))).toBe('proposal-dropped');
    host.node.campaign();
    expect(host.node.propose(utf8Encode('a'))).toBe('proposal-dropped');
  });
});

describe('the border', () => {
  test('local messages and answers of strangers are turned away', () => {
    const { node } = new Host(1, [1, 2]);
    const hup = makeMessage(MessageType.Hup, { from: 2, to: 1 });
    const stranger = makeMessage(MessageType.AppResp, { from: 9, to: 1, term: 1 });
    expect(node.step(hup)).toBe('local-message');
    expect(node.step(stranger)).toBe('peer-not-found');
  });

  test('numbers past 2^53 are refused', () => {
    const { node } = new Host(1, [1, 2]);
    const message = makeMessage(MessageType.App, { from: 2, to: 1, term: 2 ** 53 });
    expect(() => node.step(message)).toThrow(InvariantError);
  });

  test('two Readys need an advance between them', () => {
    const { node } = new Host(1, [1]);
    node.campaign();
    node.ready();
    expect(() => node.ready()).toThrow(InvariantError);
  });

  test.each<[string, Partial<RaftConfig>]>([
    ['id 0', { id: 0 }],
    ['the id of a storage thread', { id: LOCAL_APPEND_THREAD }],
    ['no heartbeat', { heartbeatTicks: 0 }],
    ['elections as frequent as heartbeats', { electionTicks: 1 }],
    ['nothing in flight', { inflightMessagesMax: 0 }],
    ['less in flight than a message', { messageBytesMax: 10, inflightBytesMax: 9 }],
    ['lease-based reads without checkQuorum', { readOnlyOption: 'lease-based' }],
  ])('a configuration with %s is refused', (_, options) => {
    expect(() => new Host(1, [1], options)).toThrow(InvariantError);
  });
});

describe('asynchronous storage writes', () => {
  test('storage work comes as messages and ends with their responses', () => {
    const { node, storage } = new Host(1, [1], { asyncStorageWrites: true });
    node.campaign();
    const handle = (): number[] => {
      const targets: number[] = [];
      while (node.hasReady()) {
        for (const message of node.ready().messages) {
          targets.push(message.to);
          if (message.to === LOCAL_APPEND_THREAD) storage.append(message.entries);
          for (const response of message.responses) node.step(response);
        }
      }
      return targets;
    };
    expect(handle()).toContain(LOCAL_APPEND_THREAD);
    node.propose(utf8Encode('a'));
    expect(handle()).toEqual([LOCAL_APPEND_THREAD, LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD]);
    expect(node.basicStatus()).toMatchObject({ applied: 3, hardState: { commit: 3 } });
    expect(() => node.advance()).toThrow(InvariantError);
  });
});
