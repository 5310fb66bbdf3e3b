import { expect } from 'vitest';
import { hasCode, type Env, type Prng, type Value } from '@themisdb/base';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { Change } from '../contract/store.ts';
import type { ShardStore } from '../store.ts';
import { verify } from '../verify.ts';
import { allOf, doc, idOf } from './test-store.ts';

const membersPerGroup = 3;

/** What is known about one group of entities that are always written together. */
interface Group {
  /** The last number whose commit was acknowledged. */
  acknowledged: number;
  /** The last number whose commit was started. */
  attempted: number;
}

export type WorkloadEvent = 'attempt' | 'acknowledge';

/**
 * Workers that each write their own group of entities, all members in one transaction with one rising
 * number, and check what a crash left: nothing acknowledged is lost (the number found is at least the
 * last acknowledged one), nothing is half-applied (all members agree), nothing is invented (it is at
 * most the last attempted one), indexes, counts and change log agree with the records.
 */
export class CrashWorkload {
  readonly #groups: Group[];
  readonly #prng: Prng;
  readonly #tell: (event: WorkloadEvent, group: number, n: number) => void;
  #failures = 0;

  constructor(
    prng: Prng,
    groups: number,
    tell: (event: WorkloadEvent, group: number, n: number) => void = () => {},
  ) {
    this.#prng = prng;
    this.#tell = tell;
    this.#groups = Array.from({ length: groups }, () => ({ acknowledged: 0, attempted: 0 }));
  }

  /** Commits that were refused with DISK_FULL. */
  get refused(): number {
    return this.#failures;
  }

  get acknowledged(): number {
    return this.#groups.reduce((sum, group) => sum + group.acknowledged, 0);
  }

  /** What this workload did, or another one told. */
  learn(event: WorkloadEvent, group: number, n: number): void {
    const known = this.#groups[group]!;
    if (event === 'attempt') known.attempted = n;
    else known.acknowledged = n;
  }

  /** Takes what is there for what is known. */
  async resume(store: ShardStore): Promise<void> {
    const collection = this.#collection(store);
    const t = store.begin({ readOnly: true });
    for (const [g, group] of this.#groups.entries()) {
      const record = await t.get(collection, idOf(collection, `${g}-0`));
      group.acknowledged = group.attempted = (record?.document()['n'] ?? 0) as number;
    }
    t.rollback();
  }

  async prepare(store: ShardStore): Promise<void> {
    const collection = await store.createCollection('default', { name: 'c' });
    await store.createIndex(collection, { type: 'persistent', fields: ['n'] });
    await store.createIndex(collection, {
      type: 'persistent',
      fields: ['group', 'member'],
      unique: true,
      storedValues: ['n'],
    });
  }

  /** Workers run until the store dies under them. */
  start(store: ShardStore, env: Env): Promise<void>[] {
    return this.#groups.map((group, g) => this.#work(store, env, group, g));
  }

  async #work(store: ShardStore, env: Env, group: Group, g: number): Promise<void> {
    for (;;) {
      await env.timers.sleep(this.#prng.float() * 2);
      const n = group.attempted + 1;
      this.learn('attempt', g, n);
      this.#tell('attempt', g, n);
      try {
        await this.#writeGroup(store, g, n);
        this.learn('acknowledge', g, n);
        this.#tell('acknowledge', g, n);
      } catch (error) {
        if (hasCode(error, 'STORE_FAILED', 'UNKNOWN_OUTCOME', 'SHUTTING_DOWN')) return;
        if (!hasCode(error, 'DISK_FULL')) throw error;
        // Refused for certain: the number must never be seen, so it is not counted as attempted.
        group.attempted = n - 1;
        this.#failures++;
      }
    }
  }

  async #writeGroup(store: ShardStore, g: number, n: number): Promise<void> {
    const collection = this.#collection(store);
    const t = store.begin();
    try {
      for (let member = 0; member < membersPerGroup; member++) {
        const uuid = idOf(collection, `${g}-${member}`);
        const there = await t.get(collection, uuid);
        // Every fifth number removes the last member: removals and inserts happen too.
        if (member === membersPerGroup - 1 && n % 5 === 0) {
          if (there !== undefined) await t.remove(collection, uuid);
        } else if (there === undefined)
          await t.insert(collection, doc({ _key: `${g}-${member}`, group: g, member, n }));
        else await t.update(collection, uuid, doc({ n }));
      }
      await t.commit();
    } finally {
      t.rollback();
    }
  }

  /** Reads go on while writes are refused, and show nothing of what was refused. */
  async checkWhileFull(store: ShardStore): Promise<void> {
    const collection = this.#collection(store);
    const t = store.begin({ readOnly: true });
    for (const [g, group] of this.#groups.entries()) {
      const record = await t.get(collection, idOf(collection, `${g}-0`));
      expect(record?.document()['n'] ?? 0, `group ${g}`).toBe(group.acknowledged);
    }
    t.rollback();
  }

  /** After a restart. What is found becomes what is known. */
  async check(store: ShardStore): Promise<void> {
    const collection = this.#collection(store);
    expect((await verify(store)).faults).toEqual([]);
    const t = store.begin({ readOnly: true });
    for (const [g, group] of this.#groups.entries()) {
      const records = await t.getMany(
        collection,
        Array.from({ length: membersPerGroup }, (_, m) => idOf(collection, `${g}-${m}`)),
      );
      const numbers = records.map((record): Value => record?.document()['n'] ?? null);
      const n = (numbers[0] ?? 0) as number;
      expect(n, `group ${g}`).toBeGreaterThanOrEqual(group.acknowledged);
      expect(n, `group ${g}`).toBeLessThanOrEqual(group.attempted);
      const last = n === 0 || n % 5 === 0 ? null : n;
      expect(numbers, `group ${g}`).toEqual(n === 0 ? [null, null, null] : [n, n, last]);
      group.acknowledged = n;
    }
    expect(await t.count(collection)).toBe((await allOf(t.scan(collection))).length);
    await this.#checkChanges(store, collection);
    t.rollback();
  }

  /** The last change of every entity tells its present state. */
  async #checkChanges(store: ShardStore, collection: CollectionInfo): Promise<void> {
    const changes: Change[] = [];
    let after = { index: 0, n: 0 };
    for (;;) {
      const page = await store.readChanges({ after, limit: 1000 });
      changes.push(...page.changes);
      if (page.next.index === after.index && page.next.n === after.n) break;
      after = page.next;
    }
    const last = new Map(changes.map((change) => [change.uuid!, change]));
    const t = store.begin({ readOnly: true });
    for (const [uuid, change] of last) {
      const record = await t.get(collection, uuid);
      expect(record?.version).toBe(change.operation === 'remove' ? undefined : change.timestamp);
    }
    const known = new Set(last.keys());
    for (const record of await allOf(t.scan(collection))) expect(known.has(record.uuid)).toBe(true);
    t.rollback();
  }

  #collection(store: ShardStore): CollectionInfo {
    return store.catalog().find('default', 'c')!;
  }
}
