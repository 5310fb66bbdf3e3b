import { hasCode, InvariantError, type Prng } from '@themisdb/base';
import { openReplica, type Replica } from '@themisdb/replication';
import { openWal, type WalRecord } from '@themisdb/wal';
import type { Marks } from '../run/marks.ts';
import type { Settings } from '../run/settings.ts';
import { stateOf } from './engine-state.ts';
import type { NodeEnv } from './node-env.ts';
import { SlowEngine } from './slow-engine.ts';
import type { Violations } from './violation.ts';
import type { Watch } from './watch.ts';
import { entriesIn, hardStateIn, WatchedWal } from './watched-wal.ts';
import type { Endpoint, Wires } from './wires.ts';

export const shard = 1;
const reopenMs = 300;

export interface NodeParts {
  readonly id: number;
  /** The first members, as its configuration names them. */
  readonly members: readonly number[];
  readonly env: NodeEnv;
  readonly prng: Prng;
  readonly settings: Settings;
  readonly wires: Wires;
  readonly watch: Watch;
  readonly violations: Violations;
  readonly marks: Marks;
  readonly enginePrng: Prng;
  /** Whether there is no space for these records. */
  readonly refusesAppend: (node: SimNode, records: readonly WalRecord[]) => boolean;
  /** Its log or state turned out to be damaged: it cannot come back. */
  readonly onDamaged: (node: SimNode) => void;
}

/** A machine with a process on it, that can die in all kinds of ways and be started again. */
export class SimNode {
  readonly id: number;
  readonly env: NodeEnv;
  readonly #parts: NodeParts;
  #engine: SlowEngine;
  readonly #engineFactor: number;
  #replica: Replica | undefined;
  #end: Endpoint | undefined;
  #life = 0;
  #isRunning = false;
  /** A sync was told to fail: the replica is meant to stop. */
  mayFail = false;
  isDamaged = false;
  isGone = false;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.env = parts.env;
    // Some machines are faster than others.
    this.#engineFactor = parts.enginePrng.chance(0.4) ? 0.05 : 1;
    this.#engine = this.#makeEngine();
  }

  /** Undefined while it is down or not yet open. */
  get replica(): Replica | undefined {
    return this.#replica;
  }

  get engine(): SlowEngine {
    return this.#engine;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get life(): number {
    return this.#life;
  }

  start(): void {
    if (this.#isRunning || this.isGone) return;
    this.#isRunning = true;
    const life = ++this.#life;
    this.#open(life).catch((error: unknown) => {
      if (life === this.#life) this.#openFailed(error);
    });
  }

  /** Asks the replica, as soon as its process runs; of one that dies meanwhile nothing is heard. */
  ask<T>(work: (replica: Replica) => Promise<T>): Promise<T> {
    const life = this.#life;
    return new Promise((resolve, reject) => {
      this.env.scheduler.at(0, () => {
        if (life === this.#life && this.#replica !== undefined)
          work(this.#replica).then(resolve, reject);
      });
    });
  }

  /** Power is cut. */
  crash(): void {
    this.#cease();
    this.env.disk.crash(this.env.prng);
    this.#engine = this.#engine.crash(this.env.prng);
  }

  /** The process dies: what it wrote is there; the engine may have kept some in memory. */
  kill(): void {
    this.#cease();
    this.env.disk.kill();
    const isFlushed = this.#parts.prng.chance(0.5);
    const { prng } = this.env;
    this.#engine = isFlushed ? this.#engine.crashFlushed(prng) : this.#engine.crash(prng);
  }

  wipe(): void {
    this.crash();
    this.env.disk = this.env.makeDisk();
    this.#engine = this.#makeEngine();
    this.mayFail = false;
    this.#parts.watch.forget(this.id);
  }

  #makeEngine(): SlowEngine {
    const { settings, enginePrng: prng } = this.#parts;
    const { scheduler } = this.env;
    return new SlowEngine({
      scheduler,
      prng,
      writeMs: settings.engineMs * this.#engineFactor,
      isFull: () => settings.fullEngine > 0 && this.env.disk.freeBytes() <= 0,
      onChange: (what) => this.env.note(`engine ${what}`),
    });
  }

  #cease(): void {
    this.#life++;
    this.#isRunning = false;
    this.#parts.watch.down(this.id);
    this.#replica = undefined;
    if (this.#end !== undefined) this.#parts.wires.disconnect(this.#end);
    this.#end = undefined;
    this.env.timers.crash();
    this.env.scheduler.resume();
  }

  async #open(life: number): Promise<void> {
    const { id, settings, wires, watch, members, marks, refusesAppend } = this.#parts;
    const env = this.env;
    const inner = await openWal(env, {
      directory: 'wal',
      segmentBytes: settings.segmentKb * 1024,
      firstSegmentBytes: 16 * 1024,
    });
    watch.logOpened(id, await entriesIn(inner, shard), await hardStateIn(inner, shard));
    watch.stateTaken(id, (await stateOf(this.#engine)).index);
    const wal = new WatchedWal(inner, watch.node(id).ledger, {
      append: () => watch.written(id),
      replaced: () => marks.hit('entries replaced in a log'),
      refuses: (records) => refusesAppend(this, records),
    });
    const end = wires.connect(id, env.scheduler);
    this.#end = end;
    const replica = await openReplica({
      env,
      engine: this.#engine,
      wal,
      shard,
      nodeId: id,
      members,
      transport: end.transport,
      snapshotBytesPerSecond: settings.snapshotKbPerSecond * 1000,
      snapshotChunkBytes: settings.snapshotKbPerSecond < 1000 ? 16 * 1024 : undefined,
      checkpointBytes: settings.checkpointKb * 1024,
      logCacheBytes: settings.logCacheKb * 1024,
      partBytesMax: settings.partBytes === 0 ? undefined : settings.partBytes,
      // Parts of a command travel and are applied apart.
      messageBytesMax: settings.partBytes === 0 ? undefined : settings.partBytes,
      applyingBytesMax: settings.partBytes === 0 ? undefined : 4 * settings.partBytes,
      timing: { leaseMs: settings.leaseMs },
      pageCacheBytes: 1024 * 1024,
    });
    if (life !== this.#life) return;
    watch.replicaOpened(id, replica);
    replica.onRoleChange((status) => {
      if (life === this.#life) watch.role(id, status.role, status.term, status.commitIndex);
    });
    this.#replica = replica;
  }

  #openFailed(error: unknown): void {
    const { violations, marks, onDamaged } = this.#parts;
    if (hasCode(error, 'LOG_CORRUPT', 'DATA_CORRUPT') && this.isDamaged) {
      marks.hit('damaged log refused');
      this.kill();
      onDamaged(this);
      return;
    }
    if (
      error instanceof InvariantError ||
      !hasCode(error, 'DISK_FULL', 'DISK_IO', 'STORE_FAILED')
    ) {
      violations.report('a node opens what it left', `node ${this.id}: ${stackOf(error)}`);
      return;
    }
    marks.hit('opened only at the second try');
    this.kill();
    const life = this.#life;
    this.env.scheduler.at(reopenMs, () => {
      if (life === this.#life) this.start();
    });
  }

  /** What its log says. */
  logged(message: string, fields: Readonly<Record<string, unknown>>): void {
    const { watch, marks, violations, id } = { ...this.#parts, id: this.id };
    if (message === 'a snapshot was installed') {
      const index = fields['index'] as number;
      watch.installed(id, index);
      marks.hit(this.#replica === undefined ? 'install resumed after a crash' : message);
    } else if (message === 'the members changed') {
      const outgoing = fields['votersOutgoing'] as readonly number[];
      marks.hit(outgoing.length > 0 ? 'joint membership' : message);
    } else if (message === 'the replica stopped') {
      // A flipped bit may turn out to be one that nobody needs, and then the disk fails.
      if (this.isDamaged && !this.mayFail) {
        // It got messages meant for the one that had the data.
        marks.hit('a replica without its data stopped itself');
        return;
      }
      if (fields['isDefect'] === true || !this.mayFail) {
        violations.report('a replica stops only when its disk fails', String(fields['error']));
        return;
      }
      this.mayFail = false;
      marks.hit('a replica stopped after a failed sync');
      this.#restartSoon();
    } else if (markedLines.has(message)) marks.hit(message);
  }

  #restartSoon(): void {
    const life = this.#life;
    this.env.scheduler.at(reopenMs, () => {
      if (life !== this.#life) return;
      if (this.#parts.prng.chance(0.5)) this.crash();
      else this.kill();
      this.start();
    });
  }
}

const markedLines: ReadonlySet<string> = new Set([
  'a replica has lost its data and is ignored; add it anew',
  'the log has no space left; trying again',
  'a snapshot could not be fetched',
  'the loop stalled; leadership is handed over',
  'removing an index whose build was interrupted',
  'cut an incomplete batch off the end of the log',
  'leads no more',
]);

export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
