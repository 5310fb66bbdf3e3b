import { InvariantError, utf8Decode, utf8Encode, type Prng } from '@themisdb/base';
import type { KvEngine, KvRange, KvSnapshot } from '@themisdb/kv';

const keys = Array.from({ length: 80 }, (_, i) => utf8Encode(`k${String(i).padStart(3, '0')}`));

/**
 * Writers give all keys one value per batch while readers of every kind look at parts of them, of one
 * state each time: whatever they see must be of one value. Throws when a reader saw part of a batch,
 * or when a snapshot changed.
 */
export async function runKvAtomicityCheck(
  engine: KvEngine,
  prng: Prng,
  rounds: number,
): Promise<void> {
  await writeAll(engine, 0);
  for (let round = 1; round <= rounds; round++) {
    const writes: Promise<void>[] = [];
    const reads: Promise<void>[] = [];
    for (let i = prng.between(2, 8); i > 0; i--) {
      const dice = prng.below(16);
      if (dice < 4) writes.push(writeAll(engine, round * 100 + i));
      else if (dice < 7) reads.push(readSnapshot(engine, prng.fork()));
      else reads.push(readOnce(engine, prng.fork(), undefined).then(mustBeOne));
      for (let turns = prng.below(6); turns > 0; turns--) await Promise.resolve();
    }
    await Promise.all(reads);
    await Promise.all(writes);
  }
}

async function writeAll(engine: KvEngine, value: number): Promise<void> {
  const bytes = utf8Encode(String(value));
  await engine.write(keys.map((key) => ({ type: 'put', key, value: bytes })));
}

/** A snapshot is the same however often and in whatever way it is read. */
async function readSnapshot(engine: KvEngine, prng: Prng): Promise<void> {
  const snapshot = engine.snapshot();
  const seen: string[] = [];
  for (let i = prng.between(1, 4); i > 0; i--) {
    seen.push(...(await readOnce(engine, prng, snapshot)));
  }
  snapshot.release();
  mustBeOne(seen);
}

async function readOnce(
  engine: KvEngine,
  prng: Prng,
  snapshot: KvSnapshot | undefined,
): Promise<string[]> {
  const from = prng.below(keys.length);
  const to = prng.between(from + 1, keys.length);
  if (prng.chance(0.2)) return [utf8Decode((await engine.get(keys[from]!, { snapshot }))!)];
  if (prng.chance(0.4)) {
    const values = await engine.multiGet(keys.slice(from, to), { snapshot });
    return values.map((value) => utf8Decode(value!));
  }
  return scanOnce(engine, { gte: keys[from], lt: keys[to] }, prng, snapshot);
}

async function scanOnce(
  engine: KvEngine,
  range: KvRange,
  prng: Prng,
  snapshot: KvSnapshot | undefined,
): Promise<string[]> {
  const seen: string[] = [];
  const batchEntries = prng.pick([3, 10, 40, 256]);
  const reverse = prng.chance(0.5);
  for await (const batch of engine.scan(range, { batchEntries, reverse, snapshot })) {
    for (const { value } of batch) seen.push(utf8Decode(value));
    for (let turns = prng.below(3); turns > 0; turns--) await Promise.resolve();
  }
  return seen;
}

function mustBeOne(seen: readonly string[]): void {
  if (new Set(seen).size <= 1) return;
  throw new InvariantError(`one read saw several states: ${seen.join(' ')}`);
}
