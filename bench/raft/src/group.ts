import { MemoryStorage, type Message, NO_LIMIT, RawNode, type Snapshot } from '@themisdb/raft';

const SNAPSHOT_EVERY = 10_000;

class Member {
  readonly storage: MemoryStorage = new MemoryStorage();
  readonly node: RawNode;
  applied = 0;
  #compacted = 0;

  constructor(id: number, snapshot: Snapshot) {
    this.storage.applySnapshot(snapshot);
    this.node = new RawNode({
      id,
      electionTicks: 10,
      heartbeatTicks: 1,
      storage: this.storage,
      random: () => 0,
      messageBytesMax: 1 << 20,
      applyingBytesMax: NO_LIMIT,
      inflightMessagesMax: 256,
      checkQuorum: true,
      preVote: true,
    });
  }

  /** One Ready, worked off as a host without asynchronous storage writes does. */
  work(send: (message: Message) => void): void {
    const { node, storage } = this;
    const ready = node.ready();
    if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
    if (ready.entries.length > 0) storage.append(ready.entries);
    for (const message of ready.messages) send(message);
    const last = ready.committedEntries.at(-1);
    if (last !== undefined) this.applied = last.index;
    node.advance();
    if (this.applied - this.#compacted > SNAPSHOT_EVERY) this.#compact();
  }

  #compact(): void {
    // Behind what the slowest follower may still ask for.
    this.#compacted = this.applied - SNAPSHOT_EVERY / 2;
    this.storage.compact(this.#compacted);
  }
}

/** Three nodes in one thread: storage in memory, messages handed over as objects. */
export class Group {
  readonly members: readonly Member[];
  steps = 0;
  #queue: Message[] = [];

  constructor() {
    const voters = [1, 2, 3];
    const confState = {
      voters,
      learners: [],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
    const snapshot = { data: undefined, metadata: { confState, index: 1, term: 1 } };
    this.members = voters.map((id) => new Member(id, snapshot));
    this.leader.node.campaign();
    this.settle();
  }

  get leader(): Member {
    return this.members[0]!;
  }

  /** Until nobody has anything left to do. */
  settle(): void {
    const send = (message: Message): void => void this.#queue.push(message);
    for (let isBusy = true; isBusy;) {
      isBusy = false;
      for (const member of this.members) {
        if (!member.node.hasReady()) continue;
        member.work(send);
        isBusy = true;
      }
      const messages = this.#queue;
      this.#queue = [];
      for (const message of messages) this.members[message.to - 1]!.node.step(message);
      this.steps += messages.length;
    }
  }

  propose(data: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) this.leader.node.propose(data);
    this.settle();
  }

  /** One tick of every node: the leader sends heartbeats, and is answered. */
  tick(): void {
    for (const { node } of this.members) node.tick();
    this.settle();
  }
}
