import { Prng, utf8Decode, utf8Encode } from '@themisdb/base';
import { runKvContract } from '@themisdb/testing/kv-contract';
import { describe, expect, test } from 'vitest';
import type { KvBatch, KvEngine, ScanOptions } from '../engine.ts';
import { makeMemoryEngine } from '../memory-engine.ts';
import { withReadCache } from './read-cache.ts';

// From a cache that keeps next to nothing to one that keeps everything.
describe.each([1_000, 4_000, 20_000, 10_000_000])('%i bytes', (bytesMax) => {
  runKvContract('a read cache', async () => {
    const engine = withReadCache(slow(makeMemoryEngine()), { bytesMax });
    return { engine, dispose: () => engine.close() };
  });
});

/** Takes and answers calls some turns later, so that reads and writes really overlap. */
function slow(engine: KvEngine): KvEngine {
  const prng = new Prng(1);
  let lastWrite: Promise<void> = Promise.resolve();
  const pass = async (): Promise<void> => {
    for (let turns = prng.below(8); turns > 0; turns--) await Promise.resolve();
  };
  const later = async <T>(result: Promise<T>): Promise<T> => {
    const value = await result;
    await pass();
    return value;
  };
  const writeAfter = async (before: Promise<void>, batch: KvBatch): Promise<void> => {
    await before;
    await pass();
    await later(engine.write(batch));
  };
  return {
    async get(key, options) {
      if (options?.snapshot === undefined) await pass();
      return later(engine.get(key, options));
    },
    async multiGet(keys, options) {
      if (options?.snapshot === undefined) await pass();
      return later(engine.multiGet(keys, options));
    },
    async *scan(range, options) {
      if (options?.snapshot === undefined) await pass();
      for await (const batch of engine.scan(range, options)) yield later(Promise.resolve(batch));
    },
    write(batch) {
      lastWrite = writeAfter(lastWrite, batch);
      return lastWrite;
    },
    snapshot: () => engine.snapshot(),
    flush: () => engine.flush(),
    compact: (range) => engine.compact(range),
    approximateSize: (range) => engine.approximateSize(range),
    stats: () => engine.stats(),
    async close() {
      await lastWrite.catch(() => {});
      await engine.close();
    },
  };
}

async function filled(): Promise<{ engine: KvEngine; below: KvEngine }> {
  const below = makeMemoryEngine();
  await below.write(
    Array.from({ length: 1000 }, (_, i) => ({
      type: 'put' as const,
      key: utf8Encode(`k${String(i).padStart(4, '0')}`),
      value: utf8Encode(`value ${i}`),
    })),
  );
  return { engine: withReadCache(below, { bytesMax: 1_000_000 }), below };
}

async function count(engine: KvEngine, options?: ScanOptions): Promise<number> {
  let entries = 0;
  for await (const batch of engine.scan({}, options)) entries += batch.length;
  return entries;
}

test('what was scanned once is answered without the engine, either way', async () => {
  const { engine, below } = await filled();
  expect(await count(engine, { batchEntries: 64 })).toBe(1000);
  const before = below.stats();
  expect(await count(engine)).toBe(1000);
  expect(await count(engine, { reverse: true, batchEntries: 7 })).toBe(1000);
  expect(await count(engine, { keysOnly: true })).toBe(1000);
  expect(utf8Decode((await engine.get(utf8Encode('k0500')))!)).toBe('value 500');
  expect(await engine.get(utf8Encode('absent'))).toBeUndefined();
  expect(await engine.multiGet(['k0000', 'k0999', 'z'].map(utf8Encode))).toHaveLength(3);
  expect(below.stats()).toEqual(before);
});

test('a reverse scan fills the cache as well', async () => {
  const { engine, below } = await filled();
  expect(await count(engine, { reverse: true, batchEntries: 64 })).toBe(1000);
  const before = below.stats().scans;
  expect(await count(engine)).toBe(1000);
  expect(below.stats().scans).toBe(before);
});

test('a write costs the next scan one gap, not the whole range', async () => {
  const { engine, below } = await filled();
  await count(engine);
  const key = utf8Encode('k0500');
  await engine.write([{ type: 'put', key, value: utf8Encode('new') }]);
  const before = engine.stats().cache!;
  expect(await count(engine, { batchEntries: 100 })).toBe(1000);
  const after = engine.stats().cache!;
  expect(after.misses).toBeGreaterThan(before.misses);
  expect(after.hits).toBeGreaterThan(before.hits);
  const scans = below.stats().scans;
  expect(await count(engine)).toBe(1000);
  expect(utf8Decode((await engine.get(key))!)).toBe('new');
  expect(below.stats().scans).toBe(scans);
});

test('a single key enters at its second miss', async () => {
  const { engine, below } = await filled();
  const key = utf8Encode('k0001');
  for (let i = 0; i < 5; i++) expect(utf8Decode((await engine.get(key))!)).toBe('value 1');
  expect(below.stats().gets).toBe(2);
});

test('the cache stays within its bytes, and a large scan does not empty it', async () => {
  const below = makeMemoryEngine();
  const value = new Uint8Array(1000);
  for (let i = 0; i < 1000; i++) {
    await below.write([{ type: 'put', key: utf8Encode(`k${1000 + i}`), value }]);
  }
  const engine = withReadCache(below, { bytesMax: 200_000 });
  const hot = { gte: utf8Encode('k1500'), lt: utf8Encode('k1530') };
  const readHot = async (): Promise<void> => {
    for await (const batch of engine.scan(hot)) expect(batch.length).toBeGreaterThan(0);
  };
  for (let i = 0; i < 3; i++) await readHot();
  expect(await count(engine)).toBe(1000);
  expect(engine.stats().cache!.bytes).toBeLessThanOrEqual(200_000);
  expect(engine.stats().cache!.bytes).toBeGreaterThan(80_000);
  const before = below.stats().scans;
  await readHot();
  expect(below.stats().scans).toBe(before);
});

test('a long scan within the cache pauses for others', async () => {
  const below = makeMemoryEngine();
  let pauses = 0;
  const pause = async (): Promise<void> => void pauses++;
  const engine = withReadCache(below, { bytesMax: 10_000_000, pause });
  const put = (i: number) => ({
    type: 'put' as const,
    key: utf8Encode(`${i}`),
    value: utf8Encode(''),
  });
  await engine.write(Array.from({ length: 20_000 }, (_, i) => put(i)));
  await count(engine);
  expect(pauses).toBe(0);
  await count(engine);
  expect(pauses).toBe(4);
});
