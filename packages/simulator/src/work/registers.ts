import type { Prng, Value } from '@themisdb/base';
import type { ReadMode, Replica } from '@themisdb/replication';
import {
  checkLinearizability,
  registerModel,
  type RegisterInput,
  type RegisterOperation,
  type RegisterOutput,
  type Scalar,
} from '../check/index.ts';
import type { Transaction } from '@themisdb/storage';
import type { World } from '../world/world.ts';
import { collectionOf, put, readOf, reading } from './documents.ts';
import type { Answer, Session, Work } from './session.ts';
import type { Workload } from './workload.ts';

const name = 'registers';
const readTimeoutMs = 3000;

interface Written {
  readonly key: string;
  readonly timestamp: bigint;
  readonly atMs: number;
}

/** Of a read that is not strong: what it had to see at least. */
interface LooseRead {
  readonly mode: ReadMode;
  readonly key: string;
  readonly startMs: number;
  readonly value: Scalar;
  readonly version: bigint;
}

/**
 * Sessions that read, write and compare-and-set registers; strong reads and writes must be
 * linearizable. Reads of the other modes, at any node, are held against what they promise.
 */
export class Registers implements Workload {
  readonly collections: readonly string[] = [name];
  readonly #world: World;
  readonly #keys: readonly string[];
  readonly #operations: RegisterOperation[] = [];
  readonly #written: Written[] = [];
  readonly #loose: LooseRead[] = [];
  readonly #values = new Set<Scalar>([null]);
  #next = 1;

  constructor(world: World) {
    this.#world = world;
    const count = world.prng('registers').between(1, 5);
    this.#keys = Array.from({ length: count }, (_, i) => `r${i}`);
  }

  get size(): number {
    return this.#operations.length;
  }

  async run(session: Session): Promise<void> {
    const { prng } = session;
    while (session.goesOn) {
      await session.think();
      const key = prng.pick(this.#keys);
      const dice = prng.float();
      if (dice < 0.35) await this.#write(session, key, { type: 'write', value: this.#next++ });
      else if (dice < 0.5) await this.#write(session, key, this.#cas(prng));
      else if (dice < 0.75) await this.#read(session, key);
      else await this.#looseRead(session, key);
    }
  }

  /**
   * While two replicas take themselves for the leader, writes to the newer one and reads at the other:
   * such moments are too short for a client who knows of nothing.
   */
  async watchLeaders(session: Session): Promise<void> {
    while (session.goesOn) {
      await this.#world.sleep(20);
      const leaders = this.#world
        .running()
        .map(({ id, replica }) => ({ id, ...replica!.status() }))
        .filter(({ role }) => role === 'leader')
        .sort((a, b) => b.term - a.term);
      const [newer, older] = leaders;
      if (newer === undefined || older === undefined) continue;
      const key = session.prng.pick(this.#keys);
      const input = { type: 'write', value: this.#next++ } as const;
      const isWritten = await this.#write(session, key, input, newer.id);
      if (!isWritten) continue;
      this.#world.marks.hit('read at a deposed leader');
      await this.#read(session, key, older.id);
    }
  }

  #cas(prng: Prng): RegisterInput {
    return {
      type: 'cas',
      expected: Math.max(1, this.#next - prng.between(1, 4)),
      value: this.#next++,
    };
  }

  async #write(
    session: Session,
    key: string,
    input: RegisterInput,
    nodeId?: number,
  ): Promise<boolean> {
    const call = session.nowMs;
    const value = input.type === 'read' ? null : input.value;
    this.#values.add(value);
    const work: Work<Attempted> = (replica, env) =>
      attempt(replica, key, input, (t) => session.commit(t, env));
    const answer =
      nodeId === undefined ? await session.write(work) : await session.call(nodeId, work, 1000);
    this.#record(session, { key, input, call }, answer, ({ output }) => output);
    if (answer.type !== 'ok' || answer.value.timestamp === undefined) return false;
    this.#written.push({ key, timestamp: answer.value.timestamp, atMs: session.nowMs });
    // What was just written must be seen at once, by a leader that was too.
    if (nodeId === undefined && session.prng.chance(0.4)) await this.#read(session, key);
    return true;
  }

  async #read(session: Session, key: string, nodeId = session.anyNode()): Promise<void> {
    const call = session.nowMs;
    const answer = await session.call(
      nodeId,
      async (replica) => {
        await replica.awaitReadable({ type: 'strong' }, { timeoutMs: readTimeoutMs });
        return look(replica, key);
      },
      5000,
    );
    this.#record(session, { key, input: { type: 'read' }, call }, answer, ({ value }) => {
      return { type: 'read', value };
    });
  }

  async #looseRead(session: Session, key: string): Promise<void> {
    const { prng } = session;
    const mode = this.#looseMode(prng);
    const startMs = session.nowMs;
    const answer = await session.call(
      session.anyNode(),
      async (replica) => {
        await replica.awaitReadable(mode, { timeoutMs: readTimeoutMs });
        return look(replica, key);
      },
      5000,
    );
    if (answer.type === 'ok') this.#loose.push({ mode, key, startMs, ...answer.value });
  }

  #looseMode(prng: Prng): ReadMode {
    const last = this.#written.at(-1 - prng.below(3));
    const dice = prng.float();
    if (dice < 0.4 && last !== undefined) return { type: 'atLeast', timestamp: last.timestamp };
    if (dice < 0.8) return { type: 'bounded', maxLagMs: prng.pick([100, 500, 2000]) };
    return { type: 'eventual' };
  }

  #record<T>(
    session: Session,
    operation: { readonly key: string; readonly input: RegisterInput; readonly call: number },
    answer: Answer<T>,
    outputOf: (value: T) => RegisterOutput,
  ): void {
    const process = session.id;
    const returned = answer.type === 'unknown' ? Infinity : session.nowMs;
    const outcome =
      answer.type === 'ok'
        ? { type: 'ok' as const, output: outputOf(answer.value) }
        : { type: answer.type };
    this.#operations.push({ process, ...operation, returned, outcome });
    this.#world.note(`${process} ${operation.input.type} ${operation.key} ${answer.type}`);
  }

  async check(): Promise<void> {
    const { violations, marks } = this.#world;
    const verdict = checkLinearizability(registerModel, this.#operations, { stepsMax: 300_000 });
    if (verdict.type === 'violation') violations.report('linearizable registers', verdict.text);
    if (verdict.type === 'unknown') marks.hit('linearizability undecided');
    this.#markUnknown();
    for (const read of this.#loose) this.#checkLoose(read);
  }

  #markUnknown(): void {
    const seen = new Set<Scalar>();
    for (const { outcome } of this.#operations)
      if (outcome.type === 'ok' && outcome.output.type === 'read') seen.add(outcome.output.value);
    for (const { input, outcome } of this.#operations)
      if (outcome.type === 'unknown' && input.type !== 'read' && seen.has(input.value))
        this.#world.marks.hit('an unknown write had happened');
  }

  #checkLoose(read: LooseRead): void {
    const { violations, settings } = this.#world;
    violations.check(
      this.#values.has(read.value),
      'reads see what was written',
      () => `${read.key} was ${JSON.stringify(read.value)}`,
    );
    const { mode } = read;
    const ago = mode.type === 'bounded' ? mode.maxLagMs * (1 + settings.driftPercent / 50) : 0;
    const due = (write: Written): boolean => {
      if (write.key !== read.key) return false;
      if (mode.type === 'atLeast')
        return write.timestamp <= mode.timestamp && write.atMs <= read.startMs;
      return mode.type === 'bounded' && write.atMs < read.startMs - ago;
    };
    const missed = this.#written.find((write) => due(write) && write.timestamp > read.version);
    violations.check(
      missed === undefined,
      `${mode.type} reads`,
      () =>
        `read of ${read.key} at ${read.startMs} saw version ${read.version}, not ${missed!.timestamp} acknowledged at ${missed!.atMs}`,
    );
  }
}

interface Attempted {
  readonly output: RegisterOutput;
  readonly timestamp?: bigint;
}

async function attempt(
  replica: Replica,
  key: string,
  input: RegisterInput,
  commit: (t: Transaction) => Promise<bigint>,
): Promise<Attempted> {
  if (input.type === 'read') throw new TypeError('a read writes nothing');
  // What is told of a mismatch must be current.
  if (input.type === 'cas')
    await replica.awaitReadable({ type: 'strong' }, { timeoutMs: readTimeoutMs });
  const t = replica.store.begin();
  try {
    const collection = collectionOf(t, name);
    const there = await readOf(t, collection, key);
    const now = (there?.document()['value'] ?? null) as Value;
    if (input.type === 'cas' && now !== input.expected)
      return { output: { type: 'cas', swapped: false } };
    await put(t, collection, key, { value: input.value }, there);
    const timestamp = await commit(t);
    return {
      output: input.type === 'cas' ? { type: 'cas', swapped: true } : { type: 'write' },
      timestamp,
    };
  } finally {
    t.rollback();
  }
}

function look(
  replica: Replica,
  key: string,
): Promise<{ readonly value: Scalar; readonly version: bigint }> {
  return reading(replica, async (t) => {
    const record = await readOf(t, collectionOf(t, name), key);
    return {
      value: (record?.document()['value'] ?? null) as Scalar,
      version: record?.version ?? 0n,
    };
  });
}
