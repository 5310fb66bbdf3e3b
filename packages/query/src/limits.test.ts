import { describe, expect, test } from 'vitest';
import { makeQueryEngine } from './engine.ts';
import type { QueryEngine } from './query-engine.ts';
import { TestDatabase } from './testing/test-database.ts';

const endless = 'FOR i IN 1..1000000000 FILTER i < 0 RETURN i';
const rows = Array.from({ length: 2000 }, (_, i) => ({ n: i, text: 'x'.repeat(100) }));

/** Simulated time stands still while a query computes; here each look at the clock takes a while. */
function slowEngine({ env, store }: TestDatabase): QueryEngine {
  let ms = 0;
  const clock = { nowMs: () => 0, monotonicMs: () => ms++ };
  return makeQueryEngine({ store, env: { clock, timers: env.timers, random: env.random } });
}

/** The error code a query ends with. */
async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: { code: unknown }) => error.code,
  );
}

describe('a runaway query fails alone and the engine lives on', () => {
  test('by time', async () => {
    await TestDatabase.with(async (database) => {
      const engine = slowEngine(database);
      const request = { text: endless, namespace: 'default', options: { maxRuntimeMs: 500 } };
      const run = await engine.execute(request);
      expect(await codeOf(run.all())).toBe('QUERY_TIMEOUT');
      expect(run.state).toBe('failed');
      expect(engine.running()).toEqual([]);
      const seconds = await engine.execute({ ...request, options: { maxRuntime: 0.5 } });
      expect(await codeOf(seconds.all())).toBe('QUERY_TIMEOUT');
    });
  });

  test.each([
    'FOR i IN 1..100000000 COLLECT x = i RETURN x',
    'FOR i IN 1..100000000 SORT -i RETURN i',
    'FOR i IN 1..100000000 RETURN DISTINCT i',
    'LET x = 1..9000000 RETURN LENGTH(x)',
    'FOR i IN 1..100000000 COLLECT AGGREGATE all0 = PUSH(i) RETURN LENGTH(all0)',
    'FOR i IN 1..10 LET s = (FOR j IN 1..100000000 RETURN j) RETURN LENGTH(s)',
    'FOR d IN docs FOR e IN docs SORT d.n LIMIT 10000000 RETURN d',
    'FOR i IN 1..100000000 INSERT { i } INTO docs',
  ])('by memory: %s', async (text) => {
    await TestDatabase.with(async (database) => {
      await database.load('docs', rows);
      const options = { memoryLimit: 2_000_000 };
      expect(await codeOf(database.query(text, {}, options))).toBe('QUERY_MEMORY');
      expect(await database.query('RETURN LENGTH(docs)')).toEqual([2000]);
      expect(database.engine.running()).toEqual([]);
    });
  });

  test('streaming needs no memory, whatever the number of rows', async () => {
    await TestDatabase.with(async (database) => {
      const text = 'FOR i IN 1..300000 FILTER i % 100000 == 0 RETURN i';
      expect(await database.query(text, {}, { memoryLimit: 20_000 })).toHaveLength(3);
    });
  });

  test('by rows', async () => {
    await TestDatabase.with(async (database) => {
      const run = await database.start('FOR i IN 1..10000 RETURN i', {}, { maxRows: 100 });
      expect(await codeOf(run.all())).toBe('QUERY_ROWS');
      expect(await database.query('FOR i IN 1..100 RETURN i', {}, { maxRows: 100 })).toHaveLength(
        100,
      );
    });
  });

  test('by kill, whether it is being read or not', async () => {
    await TestDatabase.with(async (database) => {
      await database.load('docs', rows);
      const run = await database.start('FOR d IN docs RETURN d', {}, { batchSize: 10 });
      const batches = run.batches();
      expect((await batches.next()).value).toHaveLength(10);
      expect(database.engine.running()).toMatchObject([{ id: run.id, rows: 10, state: 'running' }]);
      database.engine.kill(run.id);
      expect(database.engine.running()).toEqual([]);
      expect(await codeOf(batches.next())).toBe('QUERY_KILLED');
      expect(() => database.engine.kill(run.id)).toThrow(/No query/);

      const busy = await slowEngine(database).execute({ text: endless, namespace: 'default' });
      const reading = codeOf(busy.all());
      await database.env.timers.yield();
      busy.kill();
      expect(await reading).toBe('QUERY_KILLED');
    });
  });

  test('by its abort signal', async () => {
    await TestDatabase.with(async (database) => {
      const controller = new AbortController();
      const run = await database.start(
        'FOR i IN 1..1000000 RETURN i',
        {},
        {},
        { signal: controller.signal },
      );
      const batches = run.batches();
      await batches.next();
      controller.abort();
      expect(await codeOf(batches.next())).toBe('QUERY_KILLED');
    });
  });

  test('but not once its commit was begun: what was written is told', async () => {
    await TestDatabase.with(async (database) => {
      await database.load('docs', []);
      const { env, store } = database;
      const begin = store.begin.bind(store);
      store.begin = (options) => {
        const transaction = begin(options);
        const commit = transaction.commit.bind(transaction);
        transaction.commit = async () => {
          await env.timers.sleep(100);
          return commit();
        };
        return transaction;
      };
      const controller = new AbortController();
      env.timers.after(50, () => controller.abort());
      const text = 'FOR i IN 1..3 INSERT { i } INTO docs RETURN NEW.i';
      const run = await database.start(text, {}, { batchSize: 2 }, { signal: controller.signal });
      expect(controller.signal.aborted).toBe(true);
      run.kill();
      expect(await run.all()).toEqual([1, 2, 3]);
      expect(run.state).toBe('finished');
    });
  });

  test('by length of the text', async () => {
    await TestDatabase.with(
      async (database) => {
        expect(await codeOf(database.query(`RETURN "${'x'.repeat(200)}"`))).toBe('AQL_TOO_DEEP');
      },
      { textLengthMax: 100 },
    );
  });

  test('options that are no numbers are refused', async () => {
    await TestDatabase.with(async (database) => {
      for (const options of [{ memoryLimit: -1 }, { maxRuntime: NaN }, { batchSize: -5 }]) {
        expect(await codeOf(database.query('RETURN 1', {}, options))).toBe('INVALID_FIELD');
      }
    });
  });
});
