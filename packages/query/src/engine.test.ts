import { describe, expect, test } from 'vitest';
import { TestDatabase } from './testing/test-database.ts';

const people = [
  { _key: 'ann', name: 'Ann', age: 31, city: 'Bonn' },
  { _key: 'bob', name: 'Bob', age: 22, city: 'Kiel' },
  { _key: 'cem', name: 'Cem', age: 45, city: 'Bonn' },
];

async function withPeople(body: (database: TestDatabase) => Promise<void>): Promise<void> {
  await TestDatabase.with(async (database) => {
    await database.load('people', people);
    await body(database);
  });
}

describe('a run', () => {
  test('delivers batches of the size asked for', async () => {
    await withPeople(async (database) => {
      const run = await database.start('FOR i IN 1..2500 RETURN i', {}, { batchSize: 400 });
      const sizes: number[] = [];
      for await (const batch of run.batches()) sizes.push(batch.length);
      expect(sizes).toEqual([400, 400, 400, 400, 400, 400, 100]);
      expect(run.state).toBe('finished');
      expect(run.stats.rowsReturned).toBe(2500);
    });
  });

  test('can be read once, and given up early', async () => {
    await withPeople(async (database) => {
      const run = await database.start('FOR p IN people RETURN p.name', {}, { batchSize: 1 });
      const batches = run.batches();
      await batches.next();
      await expect(run.all()).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      expect(database.engine.running()).toHaveLength(1);
      await batches.return!();
      expect(database.engine.running()).toHaveLength(0);
      const unread = await database.start('FOR p IN people RETURN p.name');
      await unread.close();
      expect(database.engine.running()).toHaveLength(0);
    });
  });

  test('reads the snapshot of its start', async () => {
    await withPeople(async (database) => {
      const run = await database.start('FOR p IN people RETURN p.name');
      await database.query('INSERT { name: "Dan" } INTO people');
      expect(await run.all()).toHaveLength(3);
      expect(await database.query('FOR p IN people RETURN 1')).toHaveLength(4);
    });
  });

  test('with EXPLAIN in front delivers the plan and touches nothing', async () => {
    await withPeople(async (database) => {
      const [plan] = (await database.query('EXPLAIN FOR p IN people REMOVE p IN people')) as [
        { planText: string; modifies: boolean },
      ];
      expect(plan.modifies).toBe(true);
      expect(plan.planText).toContain('REMOVE');
      expect(await database.query('RETURN LENGTH(people)')).toEqual([3]);
    });
  });

  test('with PROFILE in front measures every operator, those of subqueries too', async () => {
    await withPeople(async (database) => {
      const run = await database.start(
        'PROFILE FOR p IN people LET s = (FOR i IN 1..p.age RETURN i) RETURN SUM(s)',
      );
      expect(await run.all()).toHaveLength(3);
      const rows = run.profile!.nodes.map(({ type, calls, rows: count }) => [type, calls, count]);
      expect(rows).toEqual([
        ['scan', 1, 3],
        ['subquery', 1, 3],
        ['enumerate', 3, 98],
        ['return', 1, 3],
      ]);
    });
  });
});

describe('modifications', () => {
  test('show their final revision', async () => {
    await withPeople(async (database) => {
      const run = await database.start(
        'FOR p IN people FILTER p.city == "Bonn" UPDATE p WITH { age: p.age + 1 } IN people RETURN [NEW._rev, NEW]',
      );
      const rows = (await run.all()) as unknown as [string, { _rev: string }][];
      const stored = await database.query('FOR p IN people FILTER p.city == "Bonn" RETURN p._rev');
      expect(rows.map(([rev]) => rev)).toEqual(stored);
      expect(rows.map(([, document]) => document._rev)).toEqual(stored);
      expect(run.commitTimestamp).toBeDefined();
    });
  });

  test('join an open transaction and end with it', async () => {
    await withPeople(async (database) => {
      const transaction = database.store.begin();
      await database.query('REMOVE "ann" IN people', {}, {}, { transaction });
      expect(await database.query('RETURN LENGTH(people)', {}, {}, { transaction })).toEqual([2]);
      expect(await database.query('RETURN LENGTH(people)')).toEqual([3]);
      expect(transaction.state).toBe('open');
      await transaction.commit();
      expect(await database.query('RETURN LENGTH(people)')).toEqual([2]);
    });
  });

  test('run again after a conflict, and lose no update', async () => {
    await withPeople(async (database) => {
      const text =
        'FOR p IN people FILTER p._key == "ann" UPDATE p WITH { age: p.age + 1 } IN people RETURN NEW.age';
      const runs = await Promise.all(Array.from({ length: 8 }, () => database.start(text)));
      const ages = await Promise.all(runs.map((run) => run.all()));
      expect(ages.flat().sort()).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
      expect(runs.some((run) => run.stats.conflictRetries > 0)).toBe(true);
    });
  });

  test('that fail leave nothing behind', async () => {
    await withPeople(async (database) => {
      const text =
        'FOR p IN people SORT p._key INSERT { _key: CONCAT(p._key, p.age > 40 ? "" : "2") } INTO people';
      await expect(database.query(text)).rejects.toMatchObject({ code: 'KEY_EXISTS' });
      expect(await database.query('RETURN LENGTH(people)')).toEqual([3]);
      expect(database.engine.running()).toEqual([]);
    });
  });
});

describe('the past', () => {
  test('is read with asOf, without indexes', async () => {
    await withPeople(async (database) => {
      const asOf = database.store.lastCommit;
      await database.store.createIndex(database.collection('people'), {
        type: 'persistent',
        fields: ['age'],
      });
      await database.query('UPDATE "ann" WITH { age: 32 } IN people');
      const text = 'FOR p IN people FILTER p.age == 31 RETURN p.name';
      expect(await database.query(text)).toEqual([]);
      expect(await database.query(text, {}, { asOf })).toEqual(['Ann']);
      const transaction = database.store.begin({ asOf });
      expect(await database.query(text, {}, {}, { transaction })).toEqual(['Ann']);
      transaction.rollback();
      const write = database.query('REMOVE "ann" IN people', {}, { asOf });
      await expect(write).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    });
  });
});

describe('plans are kept', () => {
  const text = 'FOR p IN people FILTER p.age > @min SORT p.age LIMIT @n RETURN p.name';

  test('for other values of the same types', async () => {
    await withPeople(async (database) => {
      const cached = async (params: object, query = text): Promise<[unknown[], boolean]> => {
        const run = await database.start(query, params as Record<string, unknown>);
        return [await run.all(), run.stats.planCached];
      };
      expect(await cached({ min: 25, n: 1 })).toEqual([['Ann'], false]);
      expect(await cached({ min: 40, n: 5 })).toEqual([['Cem'], true]);
      expect(await cached({ min: null, n: 5 })).toEqual([['Bob', 'Ann', 'Cem'], false]);
      const dynamic = 'FOR p IN people SORT p.@by RETURN p.name';
      expect(await cached({ by: 'age' }, dynamic)).toEqual([['Bob', 'Ann', 'Cem'], false]);
      expect(await cached({ by: 'name' }, dynamic)).toEqual([['Ann', 'Bob', 'Cem'], false]);
      expect(await cached({ by: 'age' }, dynamic)).toEqual([['Bob', 'Ann', 'Cem'], true]);
    });
  });

  test('until the schema changes', async () => {
    await withPeople(async (database) => {
      const point = 'FOR p IN people FILTER p.name == "Bob" RETURN p.age';
      const first = await database.start(point);
      await first.all();
      expect(first.stats.scannedFull).toBe(3);
      await database.store.createIndex(database.collection('people'), {
        type: 'persistent',
        fields: ['name'],
      });
      const second = await database.start(point);
      expect(await second.all()).toEqual([22]);
      expect(second.stats).toMatchObject({ planCached: false, scannedFull: 0, scannedIndex: 1 });
    });
  });

  test('and the errors of parameters are not', async () => {
    await withPeople(async (database) => {
      await database.query(text, { min: 1, n: 1 });
      await expect(database.query(text, { min: 1 })).rejects.toMatchObject({
        code: 'AQL_BIND_MISSING',
      });
      const more = database.query(text, { min: 1, n: 1, x: 1 });
      await expect(more).rejects.toMatchObject({ code: 'AQL_BIND_UNUSED' });
      await expect(database.query(text, { min: 1, n: -1 })).rejects.toMatchObject({
        code: 'AQL_NUMBER_OUT_OF_RANGE',
      });
    });
  });
});

describe('parse', () => {
  test('names collections and bind parameters', async () => {
    await withPeople(async (database) => {
      const parsed = database.engine.parse(
        'FOR p IN people LET x = (FOR q IN others RETURN q) FOR y IN x FILTER y.a == @b INSERT p INTO @@c',
      );
      expect(parsed.collections).toEqual(['others', 'people']);
      expect(parsed.bindParameters).toEqual(['@c', 'b']);
    });
  });
});
