import { expect, test } from 'vitest';
import { hasCode, type Prng } from '@themisdb/base';
import type { CollectionInfo, IndexInfo } from '../contract/catalog.ts';
import type { Timestamp, Transaction } from '../contract/transaction.ts';
import type { ShardStore } from '../store.ts';
import { allOf, doc, idOf, withStore } from '../testing/test-store.ts';
import { verify } from '../verify.ts';

// Strategy: clients run transactions at the same time, in simulated time, over few keys, and write down
// what they read and wrote. Invariant: executed one after the other in the order of their commit
// timestamps, the committed transactions would have read exactly what they did read (strict
// serializability, checked without search because the order is known). Read-only ones are checked
// against the state at their read timestamp.

type Read =
  | { readonly kind: 'key'; readonly key: string; readonly seen: number | undefined }
  | { readonly kind: 'all' | 'index'; readonly seen: readonly string[] }
  | { readonly kind: 'count'; readonly seen: number };

interface Committed {
  readonly at: Timestamp;
  readonly reads: readonly Read[];
  readonly writes: ReadonlyMap<string, number | undefined>;
}

const keys = ['a', 'b', 'c', 'd', 'e', 'f'];

test.each([1, 2, 3, 4, 5, 6])('histories are serializable, seed %i', async (seed) => {
  await withStore(seed, async ({ store, env }) => {
    const made = await store.createCollection('default', { name: 'c' });
    const index = await store.createIndex(made, { type: 'persistent', fields: ['v'] });
    const collection = store.catalog().byId(made.id)!;
    const history: Committed[] = [];
    let conflicts = 0;
    const client = async (prng: Prng): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        const done = await oneTransaction({ store, collection, index }, prng, (ms) =>
          env.timers.sleep(ms),
        );
        if (done === 'conflict') conflicts++;
        else if (done !== undefined) history.push(done);
      }
    };
    await Promise.all(Array.from({ length: 8 }, () => client(env.prng.fork())));
    expect(conflicts).toBeGreaterThan(0);
    expect(history.length).toBeGreaterThan(50);
    replay(history, (key) => idOf(collection, key));
    expect((await verify(store)).faults).toEqual([]);
  });
});

interface Place {
  readonly store: ShardStore;
  readonly collection: CollectionInfo;
  readonly index: IndexInfo;
}

async function oneTransaction(
  place: Place,
  prng: Prng,
  sleep: (ms: number) => Promise<void>,
): Promise<Committed | 'conflict' | undefined> {
  const t = place.store.begin();
  const reads: Read[] = [];
  const writes = new Map<string, number | undefined>();
  const steps = prng.between(1, 5);
  for (let i = 0; i < steps; i++) {
    await sleep(prng.float());
    if (prng.chance(0.5)) reads.push(await oneRead(t, place, prng, writes));
    else await oneWrite(t, place, prng, writes);
  }
  const own = reads.filter((read) => !('own' in read));
  try {
    const at = await t.commit();
    return { at, reads: own, writes };
  } catch (error) {
    if (hasCode(error, 'WRITE_CONFLICT')) return 'conflict';
    throw error;
  }
}

async function oneRead(
  t: Transaction,
  { collection, index }: Place,
  prng: Prng,
  writes: ReadonlyMap<string, number | undefined>,
): Promise<Read> {
  const kind = prng.below(4);
  // What a transaction wrote itself is checked elsewhere; here it would only blur the picture.
  const mark = writes.size > 0 ? { own: true } : {};
  if (kind === 0) {
    const key = prng.pick(keys);
    const record = await t.get(collection, idOf(collection, key));
    return { kind: 'key', key, seen: record?.document()['v'] as number | undefined, ...mark };
  }
  if (kind === 1) {
    const records = await allOf(t.scan(collection, { batchRows: 2 }));
    return {
      kind: 'all',
      seen: records.map((r) => r.document()['_key'] as string).sort(),
      ...mark,
    };
  }
  if (kind === 2) {
    const range = { equal: [], lower: { value: 5, inclusive: true } };
    const entries = await allOf(t.scanIndex(collection, index, range));
    return { kind: 'index', seen: entries.map(({ uuid }) => uuid).sort(), ...mark };
  }
  return { kind: 'count', seen: await t.count(collection), ...mark };
}

async function oneWrite(
  t: Transaction,
  { collection }: Place,
  prng: Prng,
  writes: Map<string, number | undefined>,
): Promise<void> {
  const key = prng.pick(keys);
  const uuid = idOf(collection, key);
  const v = prng.below(10);
  const there = await t.get(collection, uuid);
  if (there === undefined) await t.insert(collection, doc({ _key: key, v }));
  else if (prng.chance(0.3)) await t.remove(collection, uuid);
  else await t.replace(collection, uuid, doc({ v }));
  const after = await t.get(collection, uuid);
  writes.set(key, after?.document()['v'] as number | undefined);
}

function replay(history: Committed[], uuidOf: (key: string) => string): void {
  const state = new Map<string, number>();
  // A transaction without writes has the timestamp of the state it read: after its writer.
  history.sort((x, y) => (x.at < y.at ? -1 : x.at > y.at ? 1 : y.writes.size - x.writes.size));
  for (const { reads, writes } of history) {
    for (const read of reads) expect(read.seen, read.kind).toEqual(expected(read, state, uuidOf));
    for (const [key, v] of writes) {
      if (v === undefined) state.delete(key);
      else state.set(key, v);
    }
  }
}

function expected(
  read: Read,
  state: ReadonlyMap<string, number>,
  uuidOf: (key: string) => string,
): unknown {
  if (read.kind === 'key') return state.get(read.key);
  if (read.kind === 'count') return state.size;
  if (read.kind === 'all') return [...state.keys()].sort();
  return [...state].flatMap(([key, v]) => (v >= 5 ? [uuidOf(key)] : [])).sort();
}
