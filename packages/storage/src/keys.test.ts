import { expect, test } from 'vitest';
import { compareBytes, Prng } from '@themisdb/base';
import { uuidFromBytes } from '@themisdb/protocol';
import {
  keyBytes,
  KeySpace,
  keyText,
  ownerOf,
  rangeOf,
  recordKeyBytes,
  space,
  spaceOf,
} from './keys.ts';

const keys = new KeySpace(7);
const prng = new Prng(1);
const uuid = uuidFromBytes(prng.bytes(16));

test('records lie in their collection, by token', () => {
  const key = keys.record(5, 0x0102030405060708n, uuid);
  expect(key.length).toBe(recordKeyBytes);
  expect([spaceOf(key), ownerOf(key)]).toEqual([space.record, 5]);
  const { gte, lt } = rangeOf(keys.owned(space.record, 5));
  expect(compareBytes(key, gte)).toBeGreaterThan(0);
  expect(compareBytes(key, lt)).toBeLessThan(0);
  expect(compareBytes(key, keys.record(5, 0x0102030405060709n, uuid))).toBeLessThan(0);
  expect(compareBytes(key, keys.record(6, 0n, uuid))).toBeLessThan(0);
});

test('a history key is its record key and the version, newest first', () => {
  const record = keys.record(5, 1n, uuid);
  const [old, young] = [keys.history(record, 10n), keys.history(record, 11n)];
  expect(compareBytes(young, old)).toBeLessThan(0);
  expect([...old.subarray(5, 33)]).toEqual([...record.subarray(5)]);
});

test('texts of keys sort and convert like the keys', () => {
  for (let i = 0; i < 500; i++) {
    const [a, b] = [prng.bytes(prng.below(6)), prng.bytes(prng.below(6))];
    expect(Math.sign(compareBytes(a, b))).toBe(
      keyText(a) < keyText(b) ? -1 : keyText(a) > keyText(b) ? 1 : 0,
    );
    expect([...keyBytes(keyText(a))]).toEqual([...a]);
  }
  const long = prng.bytes(10_000);
  expect([...keyBytes(keyText(long))]).toEqual([...long]);
});

test('keys that share a slab do not touch each other', () => {
  const made = Array.from({ length: 1000 }, (_, i) => keys.record(i, BigInt(i), uuid));
  made.forEach((key, i) => expect(ownerOf(key)).toBe(i));
});
