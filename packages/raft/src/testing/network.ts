import { assert, invariants } from '@themisdb/base';
import type { ConfState, Message, MessageType, Snapshot, StepOutcome } from '../types.ts';
import { Member, type MemberOptions } from './member.ts';
import { bytes, idsUpTo, type Role, snapshotAt } from './values.ts';

const ROUNDS_MAX = 1_000;

/**
 * Members of one group and the wires between them. Messages are delivered in the order they were sent,
 * without time passing: `settle` runs until nobody has anything left to do or to say. A wire that is
 * cut, a message type that is ignored or a message the filter turns away is lost for good.
 */
export class Network {
  readonly members = new Map<number, Member>();
  /** Everything that arrived, in order. */
  readonly delivered: Message[] = [];
  /** Decides on each message after cuts and ignored types; false loses it. */
  filter: ((message: Message) => boolean) | undefined;
  readonly #initial: Snapshot;
  readonly #cuts = new Set<string>();
  readonly #ignored = new Set<MessageType>();

  /** A number of voters, or a membership; options for all, and for single members on top. */
  constructor(
    members: number | Partial<ConfState>,
    options: MemberOptions = {},
    own: Readonly<Record<number, MemberOptions>> = {},
  ) {
    invariants.enabled = true;
    const state = typeof members === 'number' ? { voters: idsUpTo(members) } : members;
    this.#initial = snapshotAt(0, 0, state);
    const ids = [...(state.voters ?? []), ...(state.learners ?? [])];
    for (const id of ids) this.join(id, { ...options, ...own[id] });
  }

  /** Adds a node that starts from the group's first membership, as a log replayed from 1 needs it. */
  join(id: number, options: MemberOptions = {}): Member {
    const member = new Member(id, this.#initial, options);
    this.members.set(id, member);
    return member;
  }

  at(id: number): Member {
    const member = this.members.get(id);
    assert(member !== undefined, () => `there is no member ${id}`);
    return member;
  }

  // Wires.

  cut(one: number, other: number): void {
    this.cutOneWay(one, other);
    this.cutOneWay(other, one);
  }

  cutOneWay(from: number, to: number): void {
    this.#cuts.add(`${from}>${to}`);
  }

  /** Cuts one member off from everybody. */
  isolate(id: number): void {
    for (const other of this.members.keys()) if (other !== id) this.cut(id, other);
  }

  ignore(...types: MessageType[]): void {
    for (const type of types) this.#ignored.add(type);
  }

  /** Mends every wire and lets every message pass again. */
  heal(): void {
    this.#cuts.clear();
    this.#ignored.clear();
    this.filter = undefined;
  }

  // Events.

  /** Puts a message on its wire, whoever is said to have sent it, and lets the group settle. */
  send(...messages: Message[]): void {
    for (const message of messages) this.#deliver(message);
    this.settle();
  }

  campaign(...ids: number[]): void {
    for (const id of ids) this.at(id).node.campaign();
    this.settle();
  }

  /** Makes a member campaign, and insists that it wins. */
  elect(id: number): Member {
    this.campaign(id);
    const member = this.at(id);
    assert(member.role === 'leader', () => `${id} is ${member.role} instead of leader`);
    return member;
  }

  propose(id: number, ...texts: string[]): StepOutcome {
    const outcome = this.at(id).node.proposeAll(texts.map(bytes));
    this.settle();
    return outcome;
  }

  /** Asks at one member for a read, under a context of one's own. */
  read(id: number, context: string): void {
    this.at(id).node.readIndex(bytes(context));
    this.settle();
  }

  transfer(from: number, to: number): void {
    this.at(from).node.transferLeader(to);
    this.settle();
  }

  /** Time passes at one member only. */
  tick(id: number, count = 1): void {
    for (let at = 0; at < count; at++) {
      this.at(id).node.tick();
      this.settle();
    }
  }

  /** Time passes everywhere. */
  tickAll(count = 1): void {
    for (let at = 0; at < count; at++) {
      for (const member of this.members.values()) member.node.tick();
      this.settle();
    }
  }

  settle(): void {
    for (let round = 0; this.#round(); round++) {
      assert(round < ROUNDS_MAX, 'the group does not come to rest');
    }
  }

  // Views.

  /** In order of joining. */
  get roles(): Role[] {
    return [...this.members.values()].map(({ role }) => role);
  }

  get terms(): number[] {
    return [...this.members.values()].map(({ term }) => term);
  }

  get commits(): number[] {
    return [...this.members.values()].map(({ commit }) => commit);
  }

  /** What arrived of one type since `mark`, a former length of `delivered`. */
  arrived(type: MessageType, mark = 0): Message[] {
    return this.delivered.slice(mark).filter((message) => message.type === type);
  }

  /** Every member works and what it says is delivered; false where nobody had anything to say. */
  #round(): boolean {
    const messages: Message[] = [];
    for (const member of this.members.values()) {
      member.work();
      messages.push(...member.outbox.splice(0));
    }
    for (const message of messages) this.#deliver(message);
    return messages.length > 0;
  }

  #deliver(message: Message): void {
    const target = this.members.get(message.to);
    if (target === undefined || !this.#passes(message)) return;
    this.delivered.push(message);
    target.node.step(message);
  }

  #passes(message: Message): boolean {
    if (this.#cuts.has(`${message.from}>${message.to}`)) return false;
    if (this.#ignored.has(message.type)) return false;
    return this.filter?.(message) ?? true;
  }
}
