import { expect, test } from 'vitest';
import { Endpoints } from './endpoints.ts';

const [a, b, c] = ['http://a', 'http://b', 'http://c'];
const write = { isWrite: true };
const read = { isWrite: false };

test('one endpoint until it fails, then the next, round and round', () => {
  const endpoints = new Endpoints([a, b, c], { spreadReads: false });
  expect([endpoints.pick(read), endpoints.pick(write), endpoints.pick(read)]).toEqual([a, a, a]);
  endpoints.failed(a);
  expect(endpoints.pick(read)).toBe(b);
  endpoints.failed(a);
  expect(endpoints.pick(read)).toBe(b);
  endpoints.failed(b);
  endpoints.failed(c);
  expect(endpoints.pick(read)).toBe(a);
});

test('writes go to the leader, until it fails', () => {
  const endpoints = new Endpoints([a, b, c], { spreadReads: false });
  endpoints.heard(c);
  expect([endpoints.pick(write), endpoints.pick(read)]).toEqual([c, a]);
  endpoints.failed(c);
  expect(endpoints.pick(write)).toBe(a);
  endpoints.heard(undefined);
  endpoints.heard('http://stranger');
  expect(endpoints.pick(write)).toBe(a);
});

test('one address alone is never left, whatever an answer names', () => {
  const endpoints = new Endpoints([a], { spreadReads: false });
  endpoints.heard(b);
  endpoints.failed(a);
  expect([endpoints.pick(write), endpoints.pick(read)]).toEqual([a, a]);
});

test('reads are spread when that is asked for', () => {
  const endpoints = new Endpoints([a, b, c], { spreadReads: true });
  endpoints.heard(b);
  const picked = Array.from({ length: 4 }, () => endpoints.pick(read));
  expect(picked).toEqual([a, b, c, a]);
  expect(endpoints.pick(write)).toBe(b);
});
