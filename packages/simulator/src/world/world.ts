import { crc32c, probes, Prng, utf8Encode } from '@themisdb/base';
import { loadTokenHash } from '@themisdb/sharding';
import type { Replica } from '@themisdb/replication';
import type { LogEntry } from '@themisdb/storage';
import type { WalRecord } from '@themisdb/wal';
import { SimScheduler, Trace } from '@themisdb/testing';
import { Marks } from '../run/marks.ts';
import type { Settings } from '../run/settings.ts';
import { stateOf } from './engine-state.ts';
import { makeNodeEnv } from './node-env.ts';
import { shard, SimNode } from './node.ts';
import { Requests } from './requests.ts';
import { Violations } from './violation.ts';
import { Watch } from './watch.ts';
import { Wires } from './wires.ts';

// Compiling WebAssembly takes real time, which simulated time does not wait for.
await loadTokenHash();

/** For who debugs a seed. */
const tailLines = Number(process.env['THEMIS_SIM_TAIL'] ?? 400);
/** In an election timeout, of one node: far more than sessions wait for. */
const roundsAnewMax = 16;
const roundsWindowMs = 1000;
const epochMs = 1_767_225_600_000;

/** All nodes, what is between them, and who looks at them. Everything in it comes from the seed. */
export class World {
  readonly settings: Settings;
  readonly scheduler: SimScheduler = new SimScheduler();
  readonly trace: Trace = new Trace(tailLines);
  readonly marks: Marks = new Marks();
  readonly violations: Violations = new Violations();
  readonly requests: Requests = new Requests();
  readonly watch: Watch;
  readonly wires: Wires;
  readonly nodes: Map<number, SimNode> = new Map();
  readonly firstMembers: readonly number[];
  #nextId: number;
  /** The time with faults is over. */
  isCalm = false;
  onDamaged: (node: SimNode) => void = () => {};
  onNodeTrace: (id: number, line: string) => void = () => {};
  /** Whether a node's log has no space for these records. */
  refusesAppend: (node: SimNode, records: readonly WalRecord[]) => boolean = () => false;
  readonly #roundsAnew: number[] = [];

  constructor(settings: Settings) {
    this.settings = settings;
    const { scheduler, trace, violations } = this;
    this.watch = new Watch(shard, violations, this.marks);
    const prng = this.prng('wires');
    this.wires = new Wires({ scheduler, prng, settings, trace, watch: this.watch });
    this.firstMembers = Array.from({ length: settings.nodes }, (_, i) => i + 1);
    this.#nextId = settings.nodes + 1;
    probes.listener = (name, detail) => this.#probed(name, detail);
  }

  /** Draws of each purpose are apart, so that taking one out does not shift the others. */
  prng(purpose: string): Prng {
    const name = BigInt(crc32c(utf8Encode(purpose)));
    return new Prng((name << 32n) ^ BigInt(this.settings.seed));
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.scheduler.at(ms, resolve));
  }

  async until(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.nowMs + limitMs;
    while (!isDone()) {
      if (this.nowMs > endMs) return false;
      await this.sleep(20);
    }
    return true;
  }

  start(): void {
    for (const id of this.firstMembers) this.addNode(id, this.firstMembers).start();
    void this.#compareStates();
  }

  /** A machine that was never a member; not yet started. */
  addJoiner(): SimNode {
    return this.addNode(this.#nextId++, []);
  }

  addNode(id: number, members: readonly number[]): SimNode {
    const { settings, wires, watch, violations, marks, trace } = this;
    const prng = this.prng(`node ${id}`);
    const env = makeNodeEnv({
      id,
      world: this.scheduler,
      trace,
      prng: prng.fork(),
      onLog: (_level, message, fields) => node.logged(message, fields),
      onTrace: (line) => this.onNodeTrace(id, line),
      epochMs: epochMs + prng.between(-50, 50),
    });
    const onDamaged = (which: SimNode): void => this.onDamaged(which);
    const parts = { id, members, env, settings, wires, watch, violations, marks, onDamaged };
    const enginePrng = this.prng(`engine ${id}`);
    const refusesAppend: World['refusesAppend'] = (which, records) =>
      this.refusesAppend(which, records);
    const node: SimNode = new SimNode({
      ...parts,
      enginePrng,
      refusesAppend,
      prng: prng.fork(),
    });
    const drift = (settings.driftPercent / 100) * (2 * prng.float() - 1);
    env.drift(1 + drift);
    this.nodes.set(id, node);
    return node;
  }

  running(): SimNode[] {
    return [...this.nodes.values()].filter(({ replica }) => replica !== undefined);
  }

  /** Who thinks he leads, in the highest term. */
  leader(): { readonly node: SimNode; readonly replica: Replica } | undefined {
    let best: { node: SimNode; replica: Replica; term: number } | undefined;
    for (const node of this.running()) {
      const replica = node.replica!;
      const { role, term } = replica.status();
      if (role === 'leader' && term > (best?.term ?? 0)) best = { node, replica, term };
    }
    return best;
  }

  note(what: string): void {
    this.trace.add(`${this.nowMs} ${what}`);
  }

  async compareStates(): Promise<void> {
    for (const node of this.running()) {
      const { index, hash } = await stateOf(node.engine);
      // Not while a snapshot is being put in the state's place, which shows a state without an index.
      const isWhole = index > 0 && node.replica?.status().appliedIndex === index;
      if (isWhole) this.watch.state(node.id, index, hash);
    }
  }

  /** Costs as much as the state is long: only when there is something to compare. */
  async #compareStates(): Promise<void> {
    const prng = this.prng('compare');
    for (;;) {
      await this.sleep(500 + 2000 * prng.float());
      const applied = this.running().map(({ replica }) => replica!.status().appliedIndex);
      if (new Set(applied).size < applied.length) await this.compareStates();
    }
  }

  #probed(name: string, detail: unknown): void {
    if (name === 'read round begun anew') this.#roundAnew();
    if (name !== 'replica applies') return this.marks.hit(name);
    const { nodeId, entries } = detail as { nodeId: number; entries: readonly LogEntry[] };
    this.watch.applies(nodeId, entries);
  }

  /** Rounds for reads that nobody waits for any more must not pile up while there is no leader. */
  #roundAnew(): void {
    const times = this.#roundsAnew;
    times.push(this.nowMs);
    while (times[0]! < this.nowMs - roundsWindowMs) times.shift();
    this.violations.check(
      times.length <= roundsAnewMax * this.nodes.size,
      'reads that were given up end',
      () => `${times.length} rounds were begun anew within ${roundsWindowMs} ms`,
    );
  }
}
