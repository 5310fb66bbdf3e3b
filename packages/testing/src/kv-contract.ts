import { Prng, toHex, tryFromHex, utf8Decode, utf8Encode } from '@themisdb/base';
import type { KvEngine, KvEntry, KvRange, ScanOptions } from '@themisdb/kv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runKvAtomicityCheck } from './kv-atomicity.ts';
import { runKvModelCheck } from './kv-model.ts';

export interface KvFixture {
  readonly engine: KvEngine;
  /** For engines that outlive a process: closes, opens the same data again. */
  readonly reopen?: () => Promise<KvEngine>;
  /** Frees what the fixture made. The engine may be closed already. */
  readonly dispose: () => Promise<void>;
}

/**
 * The contract of `KvEngine` as tests: named cases for each promise in its docstring, then random
 * operations compared with a sorted array. Every implementation runs it.
 */
export function runKvContract(name: string, makeFixture: () => Promise<KvFixture>): void {
  describe(`${name} keeps the kv contract`, () => {
    let fixture: KvFixture;
    let engine: KvEngine;

    beforeEach(async () => {
      fixture = await makeFixture();
      engine = fixture.engine;
    });

    afterEach(() => fixture.dispose());

    test('keys are in bytewise order, a prefix before its extensions', async () => {
      const keys = ['', '00', '0000', '00ff', '01', '61', '6100', '6161', '80', 'fe', 'ff', 'ff00'];
      await engine.write([...keys].reverse().map((key) => put(tryFromHex(key)!, '')));
      const seen = await entriesOf(engine, {});
      expect(seen.map(({ key }) => toHex(key))).toEqual(keys);
    });

    test('a later operation of a batch wins over an earlier one', async () => {
      await engine.write([put('a', 'old'), put('b', 'old'), put('c', 'old')]);
      await engine.write([
        put('a', '1'),
        remove('a'),
        remove('b'),
        put('b', '2'),
        put('c', '3'),
        removeRange('c', 'd'),
        removeRange('d', 'f'),
        put('e', '4'),
        put('e', '5'),
      ]);
      expect(await content(engine)).toEqual(['b=2', 'e=5']);
    });

    test('puts in one piece are puts, in their place among the others', async () => {
      const bytes = utf8Encode('a1b2c');
      const places = Uint32Array.of(0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5);
      await engine.write([put('a', 'old'), { type: 'puts', bytes, places }, remove('b')]);
      expect(await content(engine)).toEqual(['a=1', 'c=']);
      expect(engine.stats().operations).toBe(5);
    });

    test('an empty or inverted range deletes nothing, an empty batch does nothing', async () => {
      await engine.write([put('a', '1'), put('b', '2')]);
      await engine.write([removeRange('b', 'b'), removeRange('b', 'a'), removeRange('a', '')]);
      await engine.write([]);
      expect(await content(engine)).toEqual(['a=1', 'b=2']);
    });

    test('writes of one turn take effect in call order', async () => {
      const writes = Array.from({ length: 50 }, (_, i) =>
        engine.write([put('last', String(i)), put(`k${String(i).padStart(2, '0')}`, '')]),
      );
      await writes[10];
      expect(await engine.get(utf8Encode('k10'))).toBeDefined();
      await Promise.all(writes);
      expect(text(await engine.get(utf8Encode('last')))).toBe('49');
      expect(await content(engine)).toHaveLength(51);
    });

    test('multiGet answers in the order of its keys, also for the same key twice', async () => {
      await engine.write([put('a', '1'), put('b', ''), put('c', '3')]);
      const keys = ['c', 'x', 'a', 'c', '', 'b'].map(utf8Encode);
      const values = await engine.multiGet(keys);
      expect(values.map(text)).toEqual(['3', undefined, '1', '3', undefined, '']);
      expect(await engine.multiGet([])).toEqual([]);
    });

    test('reads of one turn see the writes resolved before them', async () => {
      await engine.write([put('a', '1')]);
      const snapshot = engine.snapshot();
      const before = engine.get(utf8Encode('a'), { snapshot });
      await engine.write([put('a', '2')]);
      const after = [engine.get(utf8Encode('a')), engine.get(utf8Encode('a'), { snapshot })];
      expect((await Promise.all([before, ...after])).map(text)).toEqual(['1', '2', '1']);
      snapshot.release();
    });

    test('a snapshot stays as it was, and may be released twice', async () => {
      await engine.write([put('a', '1'), put('b', '2')]);
      const snapshot = engine.snapshot();
      await engine.write([put('a', 'x'), removeRange('b', 'c'), put('c', 'y')]);
      expect(await content(engine, { snapshot })).toEqual(['a=1', 'b=2']);
      expect(await content(engine, { snapshot, reverse: true })).toEqual(['b=2', 'a=1']);
      expect((await engine.multiGet([utf8Encode('b')], { snapshot })).map(text)).toEqual(['2']);
      expect(engine.stats().snapshotsOpen).toBe(1);
      snapshot.release();
      snapshot.release();
      expect(engine.stats().snapshotsOpen).toBe(0);
      expect(await content(engine)).toEqual(['a=x', 'c=y']);
    });

    test('a scan sees one state, whatever is written while it runs', async () => {
      await engine.write(numbered(100, 'old'));
      const seen: KvEntry[] = [];
      for await (const batch of engine.scan({}, { batchEntries: 7 })) {
        seen.push(...batch);
        await engine.write([...numbered(100, 'new'), removeRange('k050', 'k060')]);
      }
      expect(seen).toHaveLength(100);
      expect(new Set(seen.map(({ value }) => text(value)))).toEqual(new Set(['old']));
    });

    test('a scan over a snapshot outlives the release of the snapshot', async () => {
      await engine.write(numbered(20, 'old'));
      const snapshot = engine.snapshot();
      const scan = engine.scan({}, { batchEntries: 5, snapshot });
      const first = await scan.next();
      snapshot.release();
      await engine.write(numbered(20, 'new'));
      const seen: KvEntry[] = [...(first.value as KvEntry[])];
      for await (const batch of scan) seen.push(...batch);
      expect(seen.map(({ value }) => text(value))).toEqual(Array(20).fill('old'));
    });

    test('batches are not empty, not longer than asked, and stop at the limit', async () => {
      await engine.write(numbered(20, ''));
      const lengths = async (options: ScanOptions): Promise<number[]> => {
        const out: number[] = [];
        for await (const batch of engine.scan({}, options)) out.push(batch.length);
        return out;
      };
      for (const reverse of [false, true]) {
        for (const limit of [undefined, 0, 1, 7, 8, 9, 16, 20, 21]) {
          const batches = await lengths({ reverse, batchEntries: 8, limit });
          expect(batches.reduce((sum, length) => sum + length, 0)).toBe(Math.min(limit ?? 20, 20));
          expect(batches.every((length) => length >= 1 && length <= 8)).toBe(true);
        }
        expect(await lengths({ reverse, limit: 20 })).toEqual([20]);
      }
    });

    test('no multiGet and no scan sees part of a batch', async () => {
      const keys = Array.from({ length: 300 }, (_, i) => utf8Encode(number(i)));
      const writeAll = (value: string): Promise<void> =>
        engine.write(keys.map((key) => ({ type: 'put', key, value: utf8Encode(value) })));
      await writeAll('0');
      const whole = async (values: Promise<(Uint8Array | undefined)[]>): Promise<void> => {
        expect(new Set((await values).map(text)).size).toBe(1);
      };
      const valuesOf = async (options: ScanOptions): Promise<Uint8Array[]> =>
        (await entriesOf(engine, {}, options)).map(({ value }) => value);
      for (let round = 1; round <= 30; round++) {
        const writes = [writeAll(`${round}`), writeAll(`${round}x`)];
        const reads = [whole(engine.multiGet(keys)), whole(engine.multiGet(keys.slice(0, 5)))];
        reads.push(whole(valuesOf({})), whole(valuesOf({ batchEntries: 100, reverse: true })));
        if (round % 2 === 0) await writes[0];
        reads.push(whole(engine.multiGet(keys.slice(7, 200))), whole(valuesOf({ limit: 99 })));
        await Promise.all([...writes, ...reads]);
      }
    });

    test('keysOnly leaves the values empty', async () => {
      await engine.write([put('a', 'value'), put('b', 'value')]);
      expect(await content(engine, { keysOnly: true })).toEqual(['a=', 'b=']);
    });

    test('an empty upper bound is a range without keys', async () => {
      await engine.write([put('', '0'), put('a', '1')]);
      expect(await entriesOf(engine, { lt: utf8Encode('') })).toEqual([]);
      expect(await entriesOf(engine, { gte: utf8Encode('a'), lt: utf8Encode('a') })).toEqual([]);
      expect(await entriesOf(engine, { gte: utf8Encode('b'), lt: utf8Encode('a') })).toEqual([]);
      expect(await entriesOf(engine, { gte: utf8Encode('') })).toHaveLength(2);
    });

    test('a scan may be left early, by return or by an error', async () => {
      await engine.write(numbered(100, ''));
      for (let i = 0; i < 20; i++) {
        for await (const batch of engine.scan({}, { batchEntries: 3 })) {
          expect(batch).toHaveLength(3);
          break;
        }
        const leave = async (): Promise<void> => {
          for await (const _ of engine.scan({}, { batchEntries: 3 })) throw new Error('left');
        };
        await expect(leave()).rejects.toThrow('left');
        const unused = engine.scan({});
        await unused.return!();
        expect(await unused.next()).toMatchObject({ done: true });
      }
      engine.scan({});
    });

    test('many scans and gets run at once', async () => {
      await engine.write(numbered(200, 'v'));
      const scans = Array.from({ length: 30 }, (_, i) =>
        content(engine, { limit: 10 + i, batchEntries: 4, reverse: i % 2 === 0 }),
      );
      const gets = Array.from({ length: 200 }, (_, i) => engine.get(utf8Encode(number(i))));
      expect((await Promise.all(gets)).map(text)).toEqual(Array(200).fill('v'));
      for (const [i, seen] of (await Promise.all(scans)).entries()) {
        expect(seen).toHaveLength(10 + i);
      }
    });

    test('what is read stays as it was when the key is written again', async () => {
      await engine.write([put('a', 'one')]);
      const value = (await engine.get(utf8Encode('a')))!;
      const [entry] = await entriesOf(engine, {});
      await engine.write([put('a', 'two')]);
      await engine.write([remove('a')]);
      expect([text(value), text(entry!.value), text(entry!.key)]).toEqual(['one', 'one', 'a']);
      expect(value.constructor).toBe(Uint8Array);
    });

    test('sizes grow with what is written, statistics count it', async () => {
      const range = { gte: utf8Encode('k'), lt: utf8Encode('l') };
      expect(await engine.approximateSize(range)).toBe(0);
      await engine.write(numbered(1000, 'v'.repeat(1000)));
      await engine.flush();
      await engine.compact(range);
      await engine.compact();
      expect(await engine.approximateSize(range)).toBeGreaterThan(500_000);
      expect(await engine.approximateSize({})).toBeGreaterThan(500_000);
      expect(await engine.approximateSize({ gte: utf8Encode('l') })).toBeLessThan(100_000);
      await engine.multiGet(['a', 'b'].map(utf8Encode));
      await content(engine);
      expect(engine.stats()).toMatchObject({ gets: 2, scans: 1, batches: 1, operations: 1000 });
    });

    test('after close every call fails with STORE_FAILED, and close again is harmless', async () => {
      await engine.write(numbered(50, 'v'));
      const snapshot = engine.snapshot();
      const scan = engine.scan({}, { batchEntries: 5 });
      await scan.next();
      const unread = engine.scan({}, { snapshot });
      await engine.close();
      const failed = { code: 'STORE_FAILED' };
      await expect(engine.get(utf8Encode('a'))).rejects.toMatchObject(failed);
      await expect(engine.multiGet([utf8Encode('a')])).rejects.toMatchObject(failed);
      await expect(engine.write([put('a', '')])).rejects.toMatchObject(failed);
      await expect(engine.flush()).rejects.toMatchObject(failed);
      await expect(engine.compact()).rejects.toMatchObject(failed);
      await expect(engine.approximateSize({})).rejects.toMatchObject(failed);
      await expect(scan.next()).rejects.toMatchObject(failed);
      await expect(unread.next()).rejects.toMatchObject(failed);
      await expect(engine.scan({}).next()).rejects.toMatchObject(failed);
      expect(() => engine.snapshot()).toThrow(expect.objectContaining(failed));
      snapshot.release();
      await engine.close();
    });

    test('close lets writes and reads under way finish', async () => {
      await engine.write(numbered(500, 'v'));
      const writes = [engine.write([put('a', '1')]), engine.write([put('b', '2')])];
      const reads = Array.from({ length: 500 }, (_, i) => engine.get(utf8Encode(number(i))));
      const scans = Promise.allSettled([
        content(engine, {}),
        content(engine, { reverse: true, batchEntries: 2 }),
      ]);
      const closed = engine.close();
      const settled = await Promise.allSettled([...writes, ...reads]);
      expect(settled.filter(({ status }) => status === 'rejected')).toEqual([]);
      for (const scan of await scans) {
        if (scan.status === 'rejected') expect(scan.reason).toMatchObject({ code: 'STORE_FAILED' });
        else expect(scan.value.length).toBeGreaterThanOrEqual(500);
      }
      await closed;
    });

    test('content outlives closing', async (context) => {
      if (fixture.reopen === undefined) return context.skip('the engine keeps nothing');
      await engine.write(numbered(100, 'v'));
      await engine.flush();
      await engine.write([put('late', '1'), removeRange('k000', 'k090')]);
      const again = await fixture.reopen();
      expect(await content(again)).toHaveLength(11);
      expect(text(await again.get(utf8Encode('late')))).toBe('1');
      return undefined;
    });

    test.each([1, 2, 3])('readers beside writers see whole batches, seed %i', async (seed) => {
      await runKvAtomicityCheck(engine, new Prng(seed), 150);
    });

    test.each([1, 2, 3])('random operations agree with a sorted array, seed %i', async (seed) => {
      await runKvModelCheck(engine, new Prng(seed), 2_000);
    });
  });
}

type Put = { type: 'put'; key: Uint8Array; value: Uint8Array };

function put(key: string | Uint8Array, value: string): Put {
  const bytes = typeof key === 'string' ? utf8Encode(key) : key;
  return { type: 'put', key: bytes, value: utf8Encode(value) };
}

function remove(key: string): { type: 'delete'; key: Uint8Array } {
  return { type: 'delete', key: utf8Encode(key) };
}

function removeRange(
  gte: string,
  lt: string,
): { type: 'deleteRange'; gte: Uint8Array; lt: Uint8Array } {
  return { type: 'deleteRange', gte: utf8Encode(gte), lt: utf8Encode(lt) };
}

function number(i: number): string {
  return `k${String(i).padStart(3, '0')}`;
}

function numbered(count: number, value: string): Put[] {
  return Array.from({ length: count }, (_, i) => put(number(i), value));
}

async function entriesOf(
  engine: KvEngine,
  range: KvRange,
  options?: ScanOptions,
): Promise<KvEntry[]> {
  const out: KvEntry[] = [];
  for await (const batch of engine.scan(range, options)) out.push(...batch);
  return out;
}

/** Everything in the engine as `key=value` texts. */
async function content(engine: KvEngine, options?: ScanOptions): Promise<string[]> {
  const entries = await entriesOf(engine, {}, options);
  return entries.map(({ key, value }) => `${utf8Decode(key)}=${utf8Decode(value)}`);
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && utf8Decode(bytes);
}
