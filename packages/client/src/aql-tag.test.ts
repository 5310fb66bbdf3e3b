import { expect, test } from 'vitest';
import { aql, collectionName } from './aql-tag.ts';

test('values become bind parameters, never text', () => {
  const evil = '" || true //';
  const { query, params } = aql`FOR u IN users FILTER u.name == ${evil} RETURN u`;
  expect(query).toBe('FOR u IN users FILTER u.name == @p0 RETURN u');
  expect(params).toEqual({ p0: evil });
});

test('collections are named by @@', () => {
  const { query, params } = aql`FOR u IN ${collectionName('users')} RETURN u`;
  expect(query).toBe('FOR u IN @@p0 RETURN u');
  expect(params).toEqual({ '@p0': 'users' });
});

test('queries nest and their parameters keep apart', () => {
  const filter = aql`FILTER u.age > ${30}`;
  const { query, params } = aql`FOR u IN users ${filter} LIMIT ${5} RETURN u`;
  expect(query).toBe('FOR u IN users FILTER u.age > @p0 LIMIT @p1 RETURN u');
  expect(params).toEqual({ p0: 30, p1: 5 });
});

test('an object of the user that looks like a query stays a value', () => {
  const { query, params } = aql`RETURN ${{ query: 'x', params: {} }}`;
  expect(query).toBe('RETURN @p0');
  expect(params).toEqual({ p0: { query: 'x', params: {} } });
});
