import { expect, test } from 'vitest';
import { parse } from './index.ts';

test('a query is a list of clauses with spans', () => {
  const query = parse('FOR u IN users FILTER u.age > 18 RETURN u');
  expect(query.clauses.map((clause) => clause.type)).toEqual(['For', 'Filter', 'Return']);
  expect(query.clauses[1]!.span).toEqual({ start: 15, end: 32 });
});
