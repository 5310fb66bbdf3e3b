import { expect, test } from 'vitest';
import { TestDatabase } from './testing/test-database.ts';

const people = [
  { _key: 'ann', name: 'Ann', age: 31, city: 'Bonn', tags: ['a', 'b'] },
  { _key: 'bob', name: 'Bob', age: 22, city: 'Kiel', tags: ['b'] },
  { _key: 'cem', name: 'Cem', age: 45, city: 'Bonn' },
];

test('a query reads, filters, computes, sorts, limits and returns', async () => {
  await TestDatabase.with(async (database) => {
    await database.load('people', people);
    const text = `FOR p IN people FILTER p.age > @min LET label = CONCAT(p.name, "!")
      SORT p.age DESC LIMIT 2 RETURN { label, age: p.age }`;
    expect(await database.query(text, { min: 20 })).toEqual([
      { label: 'Cem!', age: 45 },
      { label: 'Ann!', age: 31 },
    ]);
  });
});

test('subqueries, joins and COLLECT', async () => {
  await TestDatabase.with(async (database) => {
    await database.load('people', people);
    expect(
      await database.query(`
        FOR p IN people
          COLLECT city = p.city AGGREGATE oldest = MAX(p.age) INTO g = p.name
          LET neighbours = (FOR q IN people FILTER q.city == city SORT q.name RETURN q.name)
          RETURN { city, oldest, names: SORTED(g), neighbours }`),
    ).toEqual([
      { city: 'Bonn', oldest: 45, names: ['Ann', 'Cem'], neighbours: ['Ann', 'Cem'] },
      { city: 'Kiel', oldest: 22, names: ['Bob'], neighbours: ['Bob'] },
    ]);
  });
});

test('modifications commit and return', async () => {
  await TestDatabase.with(async (database) => {
    await database.load('people', people);
    const run = await database.start(
      'FOR p IN people FILTER p.city == "Bonn" UPDATE p WITH { age: p.age + 1 } IN people RETURN [OLD.age, NEW.age, NEW._rev]',
    );
    const rows = (await run.all()) as [number, number, string][];
    expect(run.stats.writesExecuted).toBe(2);
    expect(rows.map(([old, fresh]) => fresh - old)).toEqual([1, 1]);
    const revisions = await database.query('FOR p IN people FILTER p.city == "Bonn" RETURN p._rev');
    expect(rows.map(([, , rev]) => rev).sort()).toEqual(revisions.sort());
  });
});
