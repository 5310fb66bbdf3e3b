import { parse } from '@themisdb/aql';
import { describe, expect, test } from 'vitest';
import { TestDatabase } from '../testing/test-database.ts';
import { checkCopies } from './copies.ts';

const check = (text: string): void => checkCopies(parse(text), text);
/** `LET v1 = step(v0)`, and so on. */
const chain = (steps: number, step: (before: string) => string): string =>
  Array.from({ length: steps }, (_, i) => `LET v${i + 1} = ${step(`v${i}`)} `).join('');

const doublings: [string, (before: string) => string][] = [
  ['an array', (v) => `[${v}, ${v}]`],
  ['an object', (v) => `{ a: ${v}, b: { c: ${v} } }`],
  ['both branches', (v) => `v0 ? [${v}, ${v}] : null`],
  ['a function', (v) => `APPEND([${v}], [${v}])`],
  ['a function that picks', (v) => `NOT_NULL([${v}, ${v}])`],
  ['a subquery', (v) => `FIRST(FOR x IN [${v}] RETURN [x, x])`],
  ['an expansion', (v) => `${v}[* RETURN [CURRENT, CURRENT]]`],
];

describe('a value put into itself', () => {
  test.each(doublings)('by %s', (_, step) => {
    const text = (steps: number): string =>
      `FOR v0 IN [[1]] ${chain(steps, step)} RETURN v${steps}`;
    check(text(10));
    expect(() => check(text(40))).toThrow(
      expect.objectContaining({ code: 'AQL_TOO_DEEP', position: expect.anything() }),
    );
  });

  test('is refused before anything runs', async () => {
    await TestDatabase.with(async (database) => {
      const text = `LET v0 = [RAND()] ${chain(60, (v) => `[${v}, ${v}]`)} RETURN LENGTH(v60)`;
      await expect(database.query(text)).rejects.toMatchObject({ code: 'AQL_TOO_DEEP' });
    });
  });
});

test.each([
  [
    'scalars that are used twice',
    `LET v0 = 2 ${chain(60, (v) => `${v} * ${v} + ${v}`)} RETURN v60`,
  ],
  ['one value in many rows', 'LET v0 = [1] FOR i IN 1..1000000 RETURN [v0, v0, v0]'],
  ['a large literal', `LET v0 = 1 RETURN [${Array(5000).fill('v0').join(', ')}]`],
  ['a literal of constants', `LET v0 = [${Array(50_000).fill('1').join(', ')}] RETURN [v0, v0]`],
])('%s are no concern', (_, text) => {
  check(text);
});

test('constants are not written out where they are used without end', async () => {
  await TestDatabase.with(async (database) => {
    const text = `LET v0 = [1] ${chain(16, (v) => `[${v}, ${v}]`)} RETURN LENGTH(v16)`;
    expect(await database.query(text)).toEqual([2]);
    const plan = JSON.stringify(database.engine.explain({ text, namespace: 'default' }));
    expect(plan.length).toBeLessThan(100_000);
  });
});
