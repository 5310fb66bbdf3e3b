import { invariants } from '@themisdb/base';
import type { AnyConfChange, Entry, Message, RawNode, StepOutcome } from '@themisdb/raft';
import { Decision, Op, Outcome } from './operations.ts';
import { Disk, type RaftModule, Replica } from './replica.ts';
import { ResultWriter } from './result-writer.ts';
import { TraceReader } from './trace-reader.ts';

/** The first operation at which the core did not do what the library did. */
export interface Difference {
  readonly seed: number;
  /** Number of the operation, from 0. */
  readonly step: number;
  readonly op: number;
  readonly node: number;
  /** Results in the trace's form; see `describeResult`. */
  readonly expected: Uint8Array;
  readonly actual: Uint8Array;
  /** Election timeouts drawn by the library, and how many the core drew. */
  readonly draws: Uint8Array;
  readonly drawn: number;
  /** What the core failed with, if it did. */
  readonly error: unknown;
}

export interface ScenarioResult {
  readonly seed: number;
  readonly steps: number;
  readonly difference: Difference | undefined;
  /** How often each rare event happened, in the order of the generator's names. */
  readonly marks: readonly number[];
}

/** Sees every operation with the library's result, for a transcript. */
export type Observer = (step: number, op: number, node: number, expected: Uint8Array) => void;

/** Replays one scenario, comparing after each operation; stops at the first difference. */
export function replayScenario(
  raft: RaftModule,
  trace: Uint8Array,
  observe?: Observer,
): ScenarioResult {
  return new Replay(raft, trace, observe).run();
}

type Action = (replica: Replica, node: RawNode) => StepOutcome;

class Replay {
  readonly #raft: RaftModule;
  readonly #trace: TraceReader;
  readonly #observe: Observer | undefined;
  readonly #seed: number;
  readonly #replicas = new Map<number, Replica>();
  /** Messages put on the network, by number: they are delivered by it, any number of times. */
  readonly #messages: Message[] = [];
  readonly #writer = new ResultWriter();
  #step = 0;
  #draws: Uint8Array = new Uint8Array(0);
  #drawn = 0;
  #error: unknown;

  constructor(raft: RaftModule, trace: Uint8Array, observe: Observer | undefined) {
    this.#raft = raft;
    this.#trace = new TraceReader(trace);
    this.#observe = observe;
    this.#seed = this.#trace.uv();
  }

  run(): ScenarioResult {
    invariants.enabled = true;
    for (; ; this.#step++) {
      const op = this.#trace.u8();
      if (op === Op.End) break;
      const difference = this.#one(op);
      if (difference !== undefined) return this.#result(difference, []);
    }
    const marks: number[] = [];
    while (!this.#trace.isAtEnd) marks.push(this.#trace.uv());
    return this.#result(undefined, marks);
  }

  #result(difference: Difference | undefined, marks: number[]): ScenarioResult {
    return { seed: this.#seed, steps: this.#step, difference, marks };
  }

  #one(op: number): Difference | undefined {
    const id = this.#trace.uv();
    const replica = this.#replica(id);
    if (op === Op.Crash) {
      replica.crash();
      this.#observe?.(this.#step, op, id, new Uint8Array(0));
      return undefined;
    }
    const action = this.#read(op);
    this.#draws = this.#trace.bytes();
    const expected = this.#trace.bytes();
    this.#observe?.(this.#step, op, id, expected);
    const actual = this.#perform(action, replica);
    if (isEqual(expected, actual) && this.#drawn === this.#draws.length) return undefined;
    return {
      seed: this.#seed,
      step: this.#step,
      op,
      node: id,
      expected,
      actual,
      draws: this.#draws,
      drawn: this.#drawn,
      error: this.#error,
    };
  }

  #perform(action: Action, replica: Replica): Uint8Array {
    const writer = this.#writer;
    this.#drawn = 0;
    this.#error = undefined;
    writer.reset();
    writer.u8(Outcome.Ok);
    let outcome: number;
    try {
      outcome = outcomeOf(action(replica, replica.node!));
    } catch (error) {
      this.#error = error;
      outcome = isInvariantError(error) ? Outcome.Panic : Outcome.Crash;
      writer.reset();
      writer.u8(outcome);
    }
    writer.result[0] = outcome;
    return writer.result;
  }

  /** Reads an operation's arguments; what it returns performs it and writes its result. */
  #read(op: number): Action {
    const trace = this.#trace;
    const ask =
      (run: Action): Action =>
      (replica, node) => {
        const outcome = run(replica, node);
        this.#writer.basics(replica.node!);
        return outcome;
      };
    const call = (run: (replica: Replica, node: RawNode) => void): Action =>
      ask((replica, node) => {
        run(replica, node);
        return 'ok';
      });
    const store =
      (run: (replica: Replica) => void): Action =>
      (replica) => {
        run(replica);
        this.#writer.uv(replica.disk.firstIndex());
        this.#writer.uv(replica.disk.lastIndex());
        return 'ok';
      };
    switch (op) {
      case Op.Disk: {
        const snapshot = trace.snapshot();
        return store((replica) => {
          // A node that comes back without its log breaks the rules that invariants rest on.
          if (replica.hasDisk) invariants.enabled = false;
          replica.hasDisk = true;
          replica.disk = new Disk(this.#raft);
          if (snapshot !== undefined) replica.disk.log.applySnapshot(snapshot);
        });
      }
      case Op.Start:
        return call(this.#readStart());
      case Op.Bootstrap: {
        const ids = trace.ids();
        return call((_, node) => node.bootstrap(ids.map((id) => ({ id }))));
      }
      case Op.Tick:
        return call((_, node) => node.tick());
      case Op.Campaign:
        return ask((_, node) => node.campaign());
      case Op.Propose: {
        const payloads = trace.list(() => trace.optional());
        return ask((_, node) =>
          payloads.length === 1 ? node.propose(payloads[0]) : node.proposeAll(payloads),
        );
      }
      case Op.ProposeConf: {
        const change = this.#raft.decodeConfChange(trace.entry())!;
        return ask((_, node) => node.proposeConfChange(change));
      }
      case Op.ReadIndex: {
        const context = trace.bytes();
        return call((_, node) => node.readIndex(context));
      }
      case Op.Transfer: {
        const to = trace.uv();
        return call((_, node) => node.transferLeader(to));
      }
      case Op.Forget:
        return ask((_, node) => node.forgetLeader());
      case Op.Unreachable: {
        const peer = trace.uv();
        return call((_, node) => node.reportUnreachable(peer));
      }
      case Op.ReportSnapshot: {
        const peer = trace.uv();
        const status = trace.flag() ? 'failed' : 'finished';
        return call((_, node) => node.reportSnapshot(peer, status));
      }
      case Op.Deliver: {
        const message = this.#messages[trace.uv()]!;
        return ask((_, node) => node.step(message));
      }
      case Op.DeliverFresh: {
        const message = { ...this.#messages[trace.uv()]!, snapshot: trace.snapshot() };
        return ask((_, node) => node.step(message));
      }
      case Op.Step: {
        const message = trace.message();
        return ask((_, node) => node.step(message));
      }
      case Op.Ready:
        return call((replica, node) => this.#takeReady(replica, node));
      case Op.Persist:
        return store((replica) => {
          const { snapshot, entries, hardState, messages } = replica.ready!;
          replica.disk.persist(snapshot, entries, hardState);
          this.#messages.push(...messages);
        });
      case Op.Apply: {
        const decisions = trace.bytes();
        return call((replica, node) =>
          this.#apply(node, replica.ready!.committedEntries, decisions),
        );
      }
      case Op.Advance:
        return call((replica, node) => {
          node.advance();
          replica.ready = undefined;
        });
      case Op.AppendThread:
        return store((replica) => this.#appendThread(replica));
      case Op.ApplyThread: {
        const decisions = trace.bytes();
        return call((replica, node) => {
          const { entries, responses } = replica.applyWork.shift()!;
          this.#apply(node, entries, decisions);
          replica.applyDone.push(...responses);
        });
      }
      case Op.AppendResp:
        return (replica, node) => this.#respond(replica, node, replica.appendDone.shift()!);
      case Op.ApplyResp:
        return (replica, node) => this.#respond(replica, node, replica.applyDone.shift()!);
      case Op.Snapshot: {
        const index = trace.uv();
        const confState = trace.confState();
        const data = trace.bytes();
        return store(({ disk }) => void disk.log.createSnapshot(index, confState, data));
      }
      case Op.Compact: {
        const index = trace.uv();
        return store(({ disk }) => void disk.log.compact(index));
      }
      case Op.SnapshotPending: {
        const isPending = trace.flag();
        return store(({ disk }) => void (disk.isSnapshotPending = isPending));
      }
      case Op.Status:
        return call((_, node) => this.#writer.status(node));
      case Op.ApplyConf: {
        const change = this.#raft.decodeConfChange(trace.entry())!;
        return call((_, node) => this.#writer.confState(node.applyConfChange(change)));
      }
      default:
        throw new Error(`the trace holds an unknown operation: ${op}`);
    }
  }

  #readStart(): (replica: Replica) => void {
    const settings = this.#trace.settings();
    const hardState = this.#trace.hardState() ?? { term: 0, vote: 0, commit: 0 };
    const confState = this.#trace.confState();
    const applied = this.#trace.uv();
    return (replica) => {
      replica.disk.hardState = hardState;
      replica.disk.confState = confState;
      replica.isAsync = settings.asyncStorageWrites === true;
      const { id, disk: storage } = replica;
      const random = (bound: number): number => this.#draw(bound, settings.electionTicks);
      replica.node = new this.#raft.RawNode({ ...settings, id, storage, random, applied });
    };
  }

  /** The next election timeout the library drew; one too many is told by the count. */
  #draw(bound: number, electionTicks: number): number {
    if (bound !== electionTicks) throw new Error(`a timeout drawn below ${bound}`);
    return this.#draws[this.#drawn++] ?? 0;
  }

  #takeReady(replica: Replica, node: RawNode): void {
    const ready = node.ready();
    this.#writer.ready(ready);
    if (!replica.isAsync) {
      replica.ready = ready;
      return;
    }
    for (const message of ready.messages) {
      if (message.to === this.#raft.LOCAL_APPEND_THREAD) replica.appendWork.push(message);
      else if (message.to === this.#raft.LOCAL_APPLY_THREAD) replica.applyWork.push(message);
      else this.#messages.push(message);
    }
  }

  #appendThread(replica: Replica): void {
    const { snapshot, entries, term, vote, commit, responses } = replica.appendWork.shift()!;
    const hasHardState = term !== 0 || vote !== 0 || commit !== 0;
    replica.disk.persist(snapshot, entries, hasHardState ? { term, vote, commit } : undefined);
    replica.appendDone.push(...responses);
  }

  #respond(replica: Replica, node: RawNode, message: Message): StepOutcome {
    if (message.to !== replica.id) {
      this.#messages.push(message);
      return 'ok';
    }
    const outcome = node.step(message);
    this.#writer.basics(node);
    return outcome;
  }

  /** The application at work: configuration changes are applied as the trace says. */
  #apply(node: RawNode, entries: readonly Entry[], decisions: Uint8Array): void {
    let at = 0;
    for (const entry of entries) {
      if (!this.#raft.isConfChangeEntry(entry)) continue;
      const decision = decisions[at++];
      if (decision !== Decision.Apply && decision !== Decision.Cancel) continue;
      const change = this.#raft.decodeConfChange(entry)!;
      const applied = decision === Decision.Cancel ? cancelled(change) : change;
      this.#writer.confState(node.applyConfChange(applied));
    }
  }

  #replica(id: number): Replica {
    const known = this.#replicas.get(id);
    if (known !== undefined) return known;
    const replica = new Replica(this.#raft, id);
    this.#replicas.set(id, replica);
    return replica;
  }
}

function cancelled(change: AnyConfChange): AnyConfChange {
  if (!('changes' in change)) return { ...change, nodeId: 0 };
  return { ...change, changes: change.changes.map(({ type }) => ({ type, nodeId: 0 })) };
}

/** An outcome that is none fails: it equals nothing the library does. */
function outcomeOf(outcome: StepOutcome): number {
  const code = OUTCOMES.get(outcome);
  if (code === undefined) throw new Error(`the core answered ${String(outcome)}`);
  return code;
}

const OUTCOMES: ReadonlyMap<StepOutcome, number> = new Map([
  ['ok', Outcome.Ok],
  ['proposal-dropped', Outcome.Dropped],
  ['local-message', Outcome.LocalMessage],
  ['peer-not-found', Outcome.PeerNotFound],
]);

function isInvariantError(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvariantError';
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
