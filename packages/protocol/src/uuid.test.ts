import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { toHex, utf8Decode, utf8Encode } from '@themisdb/base';
import { sha1 } from './sha1.ts';
import {
  tryUuid,
  uuidBytes,
  uuidFromBytes,
  uuidOfKey,
  uuidV5,
  writeUuidOfKey,
  writeUuidText,
  type Uuid,
} from './uuid.ts';

test('sha1 equals the platform for lengths around block borders', () => {
  for (const length of [0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const data = randomBytes(length);
    expect(toHex(sha1(data))).toBe(createHash('sha1').update(data).digest('hex'));
  }
});

test('UUIDv5 of RFC 9562 appendix A.4', () => {
  const dns = uuidBytes('6ba7b810-9dad-11d1-80b4-00c04fd430c8' as Uuid);
  expect(uuidV5(dns, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
});

test('bytes and text are each other’s inverse', () => {
  const uuid = tryUuid('550E8400-E29B-41D4-A716-446655440000')!;
  expect(uuid).toBe('550e8400-e29b-41d4-a716-446655440000');
  expect(uuidFromBytes(uuidBytes(uuid))).toBe(uuid);
});

test('a key that is a UUID is its own uuid; any other is computed', () => {
  const namespace = new Uint8Array(16);
  expect(uuidOfKey(namespace, '550E8400-e29b-41d4-a716-446655440000')).toBe(
    '550e8400-e29b-41d4-a716-446655440000',
  );
  expect(uuidOfKey(namespace, 'users:123')[14]).toBe('5');
});

test('from bytes a key has the same uuid', () => {
  const namespace = Uint8Array.from({ length: 16 }, (_, i) => i * 7);
  const target = new Uint8Array(20);
  const text = new Uint8Array(40);
  const uuid = '550e8400-e29b-41d4-a716-446655440000';
  const keys = [uuid, uuid.toUpperCase(), uuid.replace('-', '_'), uuid.replace('5', 'g'), 'ü/ß'];
  for (let length = 1; length <= 254; length++) keys.push('k'.repeat(length));
  for (const key of keys) {
    const source = utf8Encode(`<${key}>`);
    writeUuidOfKey(namespace, source, 1, source.length - 1, target, 3);
    const expected = uuidOfKey(namespace, key);
    expect(uuidFromBytes(target, 3), key).toBe(expected);
    writeUuidText(target, 3, text, 2);
    expect(utf8Decode(text.subarray(2, 38))).toBe(expected);
  }
});
