import type { Prng } from '@themisdb/base';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import { describe, expect, test } from 'vitest';
import type { Wal, WalRecord } from './contract.ts';
import { openWal, type WalOptions } from './index.ts';
import { Model, readAll, recordText, type Step } from './testing/model.ts';

// Several lives of a log on the simulated disk: actors append, overwrite and truncate at random until
// the power is cut, the process is killed or the log is closed. On opening it again it must hold what
// some leading part of all steps leaves, and that part must include every acknowledged step.

const seedsPerTest = 24;
const seedBlocks = 13;

class Life {
  readonly #wal: Wal;
  readonly #env: SimEnv;
  readonly #prng: Prng;
  /** Steps in the order of their calls, and how many leading ones are acknowledged. */
  readonly steps: Step[] = [];
  acknowledged = 0;
  stopped = false;
  /** What the log holds once all steps are through. */
  readonly #pending: Model;
  readonly issued: Map<string, Set<string>> = new Map();

  constructor(wal: Wal, env: SimEnv, prng: Prng, start: Model) {
    this.#wal = wal;
    this.#env = env;
    this.#prng = prng;
    this.#pending = start.clone();
    for (const [group, records] of start.groups) {
      for (const [index, text] of records) this.#note(group, index, text);
    }
  }

  async actor(): Promise<void> {
    for (;;) {
      await this.#env.timers.sleep(this.#prng.float() * 2);
      if (this.stopped) return;
      const choice = this.#prng.below(20);
      if (choice < 15) this.#append();
      else if (choice < 18) this.#truncate();
      else await this.#replay();
    }
  }

  #append(): void {
    const records: WalRecord[] = [];
    for (let i = this.#prng.between(1, 4); i > 0; i--) {
      const record = this.#record();
      records.push(record);
      this.#issue({ type: 'record', record });
      this.#note(record.group, record.index, recordText(record));
    }
    this.#await(this.#wal.append(records));
  }

  #record(): WalRecord {
    const group = this.#prng.below(4);
    const bounds = this.#pending.bounds(group);
    const next = bounds === undefined ? this.#prng.between(1, 600) : bounds.last + 1;
    const goesBack = bounds !== undefined && this.#prng.chance(0.1);
    const index = goesBack ? this.#prng.between(Math.max(bounds.first, next - 5), next) : next;
    const size = this.#prng.chance(0.03) ? 40_000 : this.#prng.chance(0.1) ? 3_000 : 200;
    const payload = this.#prng.bytes(this.#prng.below(size));
    return { group, index, term: this.#prng.below(9), kind: this.#prng.below(256), payload };
  }

  #truncate(): void {
    const group = this.#prng.below(4);
    const bounds = this.#pending.bounds(group);
    if (bounds === undefined) return;
    const index = this.#prng.chance(0.1)
      ? bounds.last + this.#prng.below(100)
      : this.#prng.between(bounds.first, bounds.last);
    this.#issue({ type: 'truncate', group, index });
    this.#await(this.#wal.truncateBefore(group, index));
  }

  async #replay(): Promise<void> {
    const group = this.#prng.below(4);
    let last = 0;
    for await (const batch of this.#wal.replay(group, this.#prng.below(700))) {
      if (this.stopped) return;
      for (const record of batch) {
        expect(record.index).toBeGreaterThan(last);
        last = record.index;
        expect(this.issued.get(`${group}/${last}`)).toContain(recordText(record));
      }
    }
  }

  #issue(step: Step): void {
    this.steps.push(step);
    this.#pending.apply(step);
  }

  #note(group: number, index: number, text: string): void {
    const key = `${group}/${index}`;
    this.issued.set(key, (this.issued.get(key) ?? new Set()).add(text));
  }

  #await(promise: Promise<void>): void {
    const upTo = this.steps.length;
    void promise.then(() => {
      // Acknowledged in order: whoever is later has all before it on disk.
      expect(this.acknowledged).toBeLessThan(upTo);
      this.acknowledged = upTo;
    });
  }
}

/** The state the log was found in; throws unless it is that of an allowed leading part of the steps. */
function match(found: string, start: Model, life: Life): { state: Model; used: number } {
  const state = start.clone();
  for (let used = 0; ; used++) {
    if (used >= life.acknowledged && state.text() === found) return { state, used };
    const step = life.steps[used];
    if (step === undefined) break;
    state.apply(step);
  }
  const { acknowledged, steps } = life;
  throw new Error(`no leading part of ${acknowledged} to ${steps.length} steps gives ${found}`);
}

interface Coverage {
  torn: number;
  lost: number;
  carried: number;
  lives: number;
}

async function lives(seed: number, coverage: Coverage): Promise<void> {
  const env = makeSimEnv(seed);
  const prng = env.prng;
  const options: WalOptions = {
    directory: 'store/log',
    segmentBytes: prng.pick([8_192, 20_000, 65_536, 262_144]),
    firstSegmentBytes: 8_192,
  };
  let state = new Model();
  let life: Life | undefined;
  for (let round = prng.between(3, 6); round >= 0; round--) {
    coverage.lives++;
    const wal = await env.run(() => openWal(env, options));
    const found = await env.run(() => readAll(wal));
    if (life !== undefined) {
      const matched = match(found, state, life);
      coverage.lost += life.steps.length - matched.used;
      state = matched.state;
    }
    coverage.torn += wal.stats().tornBytes > 0 ? 1 : 0;
    life = new Life(wal, env, prng.fork(), state);
    const current = life;
    for (let i = prng.between(1, 5); i > 0; i--) {
      // Errors of an actor end the test through the run below.
      env.timers.after(0, () => void current.actor().catch((error) => fail(env, error)));
    }
    await env.run(() => env.timers.sleep(prng.float() * prng.pick([3, 30, 60])));
    coverage.carried += wal.stats().carriedRecords;
    if (prng.chance(0.2)) {
      life.stopped = true;
      // Until the last actor has seen it.
      await env.run(() => env.timers.sleep(10));
      await env.run(() => wal.close());
      expect(life.acknowledged).toBe(life.steps.length);
      env.crash();
    } else if (prng.chance(0.3)) env.kill();
    else env.crash();
  }
}

function fail(env: SimEnv, error: unknown): void {
  env.timers.after(0, () => {
    throw error;
  });
}

describe('a log on a disk that loses what was not synced', () => {
  const coverage: Coverage = { torn: 0, lost: 0, carried: 0, lives: 0 };

  for (let block = 0; block < seedBlocks; block++) {
    const first = block * seedsPerTest + 1;
    test(`seeds ${first} to ${first + seedsPerTest - 1}`, async () => {
      for (let seed = first; seed < first + seedsPerTest; seed++) {
        await lives(seed, coverage).catch((error: unknown) => {
          throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
        });
      }
    });
  }

  test('the seeds above did tear, lose and move records', () => {
    expect(coverage.torn).toBeGreaterThan(20);
    expect(coverage.lost).toBeGreaterThan(100);
    expect(coverage.carried).toBeGreaterThan(100);
  });
});
