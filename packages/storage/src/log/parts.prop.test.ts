import { expect, test } from 'vitest';
import { toHex, type Prng } from '@themisdb/base';
import { makeMemoryEngine, type KvEngine, type MemoryEngine } from '@themisdb/kv';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import type { LogEntry, StateMachine } from '../contract/command-log.ts';
import { openMachine } from '../open.ts';
import type { ShardStore } from '../store.ts';
import { HeldLog } from '../testing/held-log.ts';
import { doc, idOf, write } from '../testing/test-store.ts';
import { verify } from '../verify.ts';

// Strategy: a leader whose commands take several entries each gets them back in pieces, is deposed
// between any two of them, the next leader commits some of what is left, the leader may crash, and
// leads again. At the end its engine must hold what that of a follower holds which got the whole log at
// once, and all that was acknowledged.
const seeds = Number(process.env['THEMIS_SEEDS'] ?? 8);
const terms = 15;
const options = { partBytesMax: 300, pageCacheBytes: 0 };

class Leader {
  readonly #env: SimEnv;
  readonly #prng: Prng;
  readonly acknowledged: string[] = [];
  /** All that is committed: the entry of index 1 first. */
  readonly entries: LogEntry[] = [];
  engine: KvEngine = makeMemoryEngine({ crashable: true });
  #store!: ShardStore;
  #machine!: StateMachine;
  #log!: HeldLog;
  #term = 0;
  #keys = 0;

  constructor(env: SimEnv) {
    this.#env = env;
    this.#prng = env.prng.fork();
  }

  async open(): Promise<void> {
    const { store, machine } = await openMachine({
      env: this.#env,
      engine: this.engine,
      ...options,
    });
    this.#store = store as ShardStore;
    this.#machine = machine;
    this.#log = new HeldLog(machine);
    this.#log.isHeld = true;
    machine.attach(this.#log);
    await this.#give(this.entries.slice(machine.applied.index));
    await this.#lead();
  }

  async createCollection(): Promise<void> {
    const created = this.#store.createCollection('default', { name: 'c' });
    await this.#env.timers.sleep(1);
    await this.#commit(this.#log.held.splice(0));
    await created;
  }

  async term(): Promise<void> {
    const prng = this.#prng;
    for (let n = prng.between(1, 4); n > 0; n--) this.#write(`k${this.#keys++}`);
    await this.#env.timers.sleep(1);
    const proposed = this.#log.held.splice(0);
    const given = prng.between(0, proposed.length);
    // Of what is known to be committed at the end of the term, not all is applied.
    const known = prng.between(given, proposed.length);
    const kept = prng.between(known, proposed.length);
    await this.#commit(proposed.slice(0, given));
    const leader = prng.chance(0.5) ? 2 : undefined;
    const committedIndex = this.entries.length + known - given;
    this.#machine.follow({ leader, committedIndex });
    await this.#commit(proposed.slice(given, kept));
    if (prng.chance(0.3)) await this.#crash();
    else await this.#lead();
  }

  async #crash(): Promise<void> {
    this.engine = (this.engine as MemoryEngine).crash(this.#prng);
    await this.open();
  }

  /** The first entry of a term is the log's own. */
  async #lead(): Promise<void> {
    this.#log.term = ++this.#term;
    const index = this.entries.length + 1;
    await this.#commit([{ index, term: this.#term, data: undefined }]);
    this.#log.nextIndex = index + 1;
    await this.#machine.lead(this.#term);
  }

  async #commit(entries: readonly LogEntry[]): Promise<void> {
    this.entries.push(...entries);
    await this.#give(entries);
  }

  async #give(entries: readonly LogEntry[]): Promise<void> {
    for (let at = 0; at < entries.length;) {
      const end = at + this.#prng.between(1, 4);
      await this.#machine.apply(entries.slice(at, end));
      at = end;
    }
  }

  #write(key: string): void {
    const c = this.#store.catalog().find('default', 'c')!;
    const s = 'x'.repeat(this.#prng.below(1200));
    write(this.#store, (t) => t.insert(c, doc({ _key: key, s }))).then(
      () => this.acknowledged.push(key),
      () => undefined,
    );
  }
}

async function stateOf(engine: KvEngine): Promise<Map<string, string>> {
  const state = new Map<string, string>();
  for await (const batch of engine.scan({}))
    for (const { key, value } of batch) state.set(toHex(key), toHex(value));
  return state;
}

test.each(Array.from({ length: seeds }, (_, i) => i + 1))(
  'commands in parts end the same on every replica, seed %i',
  async (seed) => {
    const env = makeSimEnv(seed);
    await env.run(async () => {
      const leader = new Leader(env);
      await leader.open();
      await leader.createCollection();
      for (let n = 0; n < terms; n++) await leader.term();
      const engine = makeMemoryEngine();
      const { store, machine } = await openMachine({ env, engine, ...options });
      await machine.apply(leader.entries);
      expect(await stateOf(leader.engine)).toEqual(await stateOf(engine));
      expect((await verify(store as ShardStore)).faults).toEqual([]);
      expect(leader.acknowledged.length).toBeGreaterThan(2);
      const t = store.begin({ readOnly: true });
      const c = store.catalog().find('default', 'c')!;
      for (const key of leader.acknowledged) expect(await t.get(c, idOf(c, key))).toBeDefined();
      t.rollback();
    });
  },
);
