import { MessageType, type Message } from '@themisdb/raft';
import type { RaftBatch, Replica } from '@themisdb/replication';
import type { LogEntry } from '@themisdb/storage';
import type { Marks } from '../run/marks.ts';
import { hashOf, Ledger, type LoggedEntry } from './ledger.ts';
import type { Violations } from './violation.ts';

const anyHash = -1;

interface CommittedEntry extends LoggedEntry {
  /** The highest term anybody was known to lead in when it was first applied. */
  readonly byTerm: number;
}

interface Seen {
  readonly ledger: Ledger;
  /** Applied last, in this life. */
  applied: number;
  term: number;
  commit: number;
  isLeading: boolean;
  /** Whom it gave its vote, by term: over all lives. */
  readonly votes: Map<number, number>;
  /** Of its log as its replica sees it: some of it may wait to be written. */
  lastIndex: () => number;
}

/**
 * The invariants of a group, looked at whenever something happens that could break one:
 *
 * 1. One leader a term.
 * 2. Log matching: entries of one index and term are the same everywhere.
 * 3. Leader completeness: a leader's log holds all that was committed in terms before its own.
 * 4. What is committed never changes; all replicas apply the same, each entry once, without a gap.
 * 5. Replicas that have applied the same hold the same state.
 * 6. Term and commit index never go back, a vote is given once a term, over restarts too.
 * 7. Nothing is acknowledged or voted that is not durable, and what was durable is found again.
 */
export class Watch {
  readonly #shard: number;
  readonly #violations: Violations;
  readonly #marks: Marks;
  readonly #seen = new Map<number, Seen>();
  readonly #leaders = new Map<number, number>();
  readonly #committed = new Map<number, CommittedEntry>();
  readonly #byPlace = new Map<string, number>();
  readonly #states = new Map<number, { readonly hash: number; readonly node: number }>();
  #maxTerm = 0;
  #lastCommitted = 0;

  constructor(shard: number, violations: Violations, marks: Marks) {
    this.#shard = shard;
    this.#violations = violations;
    this.#marks = marks;
  }

  get lastCommitted(): number {
    return this.#lastCommitted;
  }

  node(id: number): Seen {
    let seen = this.#seen.get(id);
    if (seen === undefined) {
      seen = {
        ledger: new Ledger(this.#shard),
        applied: 0,
        term: 0,
        commit: 0,
        isLeading: false,
        votes: new Map(),
        lastIndex: () => 0,
      };
      this.#seen.set(id, seen);
    }
    return seen;
  }

  /** Its process has ended. */
  down(id: number): void {
    this.node(id).isLeading = false;
  }

  /** A node lost its disk: what it promised is forgotten, and nobody may believe it. */
  forget(id: number): void {
    this.#seen.delete(id);
  }

  logOpened(
    id: number,
    found: ReadonlyMap<number, LoggedEntry>,
    state: { readonly term: number; readonly vote: number } | undefined,
  ): void {
    const { ledger, votes } = this.node(id);
    const voted = state && votes.get(state.term);
    this.#violations.check(
      voted === undefined || voted === state?.vote,
      'one vote a term',
      () => `node ${id} voted for ${voted} in term ${state?.term} and has ${state?.vote} stored`,
    );
    const lost = ledger.reopened(found);
    if (lost !== undefined) this.#violations.report('durable log', `node ${id}: ${lost}`);
  }

  replicaOpened(id: number, replica: Replica): void {
    const { term, commitIndex } = replica.status();
    const seen = this.node(id);
    this.#violations.check(
      term >= seen.ledger.durableTerm,
      'terms never go back',
      () => `node ${id} comes back in term ${term}, ${seen.ledger.durableTerm} was durable`,
    );
    seen.isLeading = false;
    // What was under way may have been found.
    seen.ledger.durableTerm = term;
    seen.term = term;
    seen.commit = commitIndex;
    seen.lastIndex = () => replica.status().lastIndex;
  }

  /** How far the state is that a node opens, or was given as a snapshot. */
  stateTaken(id: number, index: number): void {
    const seen = this.node(id);
    seen.applied = index;
    // A state that came through a restart stands for the entries that made it.
    seen.ledger.lastDurable = Math.max(seen.ledger.lastDurable, index);
  }

  installed(id: number, index: number): void {
    const { ledger } = this.node(id);
    this.stateTaken(id, index);
    ledger.truncatedBefore = Math.max(ledger.truncatedBefore, index + 1);
    ledger.lastDurable = Math.max(ledger.lastDurable, index);
    ledger.lastWritten = Math.max(ledger.lastWritten, index);
  }

  /** Called after each append: what is new must match what others have at that place. */
  written(id: number): void {
    const { ledger } = this.node(id);
    const index = ledger.lastWritten;
    const entry = ledger.written.get(index);
    if (entry !== undefined) this.#matches(id, index, entry);
  }

  role(id: number, role: string, term: number, commit: number): void {
    const seen = this.node(id);
    this.#violations.check(
      term >= seen.term,
      'terms never go back',
      () => `node ${id} went from term ${seen.term} to ${term}`,
    );
    this.#violations.check(
      commit >= seen.commit,
      'commits never go back',
      () => `node ${id} went from commit index ${seen.commit} to ${commit}`,
    );
    seen.term = term;
    seen.commit = commit;
    const others = [...this.#seen.values()].filter((other) => other !== seen);
    if (role === 'leader' && others.some(({ isLeading }) => isLeading))
      this.#marks.hit('two leaders for a while');
    seen.isLeading = role === 'leader';
    if (role === 'leader') this.#leads(id, term);
  }

  sent(from: number, { messages }: RaftBatch): void {
    const seen = this.node(from);
    for (const message of messages) this.#message(from, seen, message);
  }

  applies(id: number, entries: readonly LogEntry[]): void {
    const seen = this.node(id);
    for (const { index, term, data, membership } of entries) {
      this.#violations.check(
        index === seen.applied + 1,
        'each entry once, without a gap',
        () => `node ${id} applies ${index} after ${seen.applied}`,
      );
      seen.applied = index;
      // What a change of members is made of does not come this far.
      this.#commits(id, index, term, membership === undefined ? hashOf(data) : anyHash);
    }
  }

  state(id: number, index: number, hash: number): void {
    const before = this.#states.get(index);
    if (before === undefined) this.#states.set(index, { hash, node: id });
    else if (before.node !== id) this.#marks.hit('states compared');
    this.#violations.check(
      before === undefined || before.hash === hash,
      'equal states',
      () => `nodes ${before?.node} and ${id} have applied ${index} and differ`,
    );
  }

  #commits(id: number, index: number, term: number, hash: number): void {
    const before = this.#committed.get(index);
    if (before === undefined) {
      this.#committed.set(index, { term, hash, byTerm: this.#maxTerm });
      this.#lastCommitted = Math.max(this.#lastCommitted, index);
      return;
    }
    this.#violations.check(
      before.term === term && isSame(before.hash, hash),
      'committed entries never change',
      () => `entry ${index}: term ${before.term} first, term ${term} on node ${id}`,
    );
  }

  #message(from: number, seen: Seen, message: Message): void {
    const { type, term, index, reject, to } = message;
    const { ledger } = seen;
    switch (type) {
      case MessageType.App:
      case MessageType.Heartbeat:
      case MessageType.Snap:
        this.#leads(from, term);
        for (const entry of message.entries)
          this.#matches(from, entry.index, { term: entry.term, hash: hashOf(entry.data) });
        return;
      case MessageType.AppResp:
        if (reject) return;
        this.#violations.check(
          index <= ledger.durableIn(term) || index < ledger.truncatedBefore,
          'nothing is acknowledged that is not durable',
          () =>
            `node ${from} acknowledges ${index} to ${to} in term ${term}, ${ledger.lastDurable} is durable`,
        );
        this.#mustBeDurable(from, seen, term);
        return;
      case MessageType.VoteResp:
        if (!reject) this.#votes(from, seen, term, to);
        return;
      case MessageType.Vote:
        // Or a second life of it could win the term again.
        this.#votes(from, seen, term, from);
    }
  }

  #votes(id: number, seen: Seen, term: number, candidate: number): void {
    const before = seen.votes.get(term);
    this.#violations.check(
      before === undefined || before === candidate,
      'one vote a term',
      () => `node ${id} votes for ${candidate} in term ${term}, after ${before}`,
    );
    seen.votes.set(term, candidate);
    this.#mustBeDurable(id, seen, term);
  }

  #mustBeDurable(id: number, { ledger }: Seen, term: number): void {
    this.#violations.check(
      term <= ledger.durableTerm,
      'nothing is promised in a term that is not durable',
      () => `node ${id} speaks in term ${term}, ${ledger.durableTerm} is durable`,
    );
  }

  #leads(id: number, term: number): void {
    const leader = this.#leaders.get(term);
    if (leader === id) return;
    this.#violations.check(
      leader === undefined,
      'one leader a term',
      () => `nodes ${leader} and ${id} lead in term ${term}`,
    );
    this.#leaders.set(term, id);
    this.#mustBeDurable(id, this.node(id), term);
    this.#mustBeComplete(id, term);
    this.#maxTerm = Math.max(this.#maxTerm, term);
  }

  #mustBeComplete(id: number, term: number): void {
    const { ledger, lastIndex } = this.node(id);
    const last = lastIndex();
    for (let index = this.#lastCommitted; index >= ledger.truncatedBefore && index > 0; index--) {
      const committed = this.#committed.get(index);
      if (committed === undefined || committed.byTerm >= term) continue;
      const own = ledger.written.get(index);
      if (own === undefined && index < (first(ledger) ?? 0)) return;
      // Here, but waiting for space: it is compared when it is written.
      if (own === undefined && index > ledger.lastWritten && index <= last) continue;
      this.#violations.check(
        own?.term === committed.term && isSame(own.hash, committed.hash),
        'leader completeness',
        () =>
          `node ${id} leads in term ${term} without committed entry ${index} of term ${committed.term} (${own?.term}); it has ${first(ledger)} to ${ledger.lastWritten}, given up before ${ledger.truncatedBefore}`,
      );
    }
  }

  #matches(id: number, index: number, { term, hash }: LoggedEntry): void {
    const place = `${index} ${term}`;
    const before = this.#byPlace.get(place);
    if (before === undefined) this.#byPlace.set(place, hash);
    this.#violations.check(
      before === undefined || before === hash,
      'log matching',
      () => `entry ${index} of term ${term} is another on node ${id}`,
    );
  }
}

function first({ written }: Ledger): number | undefined {
  let least: number | undefined;
  for (const index of written.keys()) if (least === undefined || index < least) least = index;
  return least;
}

function isSame(a: number, b: number): boolean {
  return a === b || a === anyHash || b === anyHash;
}
