import { expect, test } from 'vitest';
import { hasCode } from '@themisdb/base';
import { formatUrn, parseUrn } from './urn.ts';

const good = 'urn:themis:document:shop:users:550e8400-e29b-41d4-a716-446655440000';

test('parses and prints', () => {
  const urn = parseUrn(good);
  expect(urn).toEqual({
    model: 'document',
    namespace: 'shop',
    collection: 'users',
    uuid: '550e8400-e29b-41d4-a716-446655440000',
  });
  expect(formatUrn(urn)).toBe(good);
});

test('lower-cases the uuid and the scheme', () => {
  expect(formatUrn(parseUrn(good.replace('urn', 'URN').replace('550e', '550E')))).toBe(good);
});

test.each([
  ['', 0],
  ['url:themis:document:a:b:c', 0],
  ['urn:isbn:document:a:b:c', 4],
  ['urn:themis:blob:a:b:550e8400-e29b-41d4-a716-446655440000', 11],
  ['urn:themis:document:9a:b:550e8400-e29b-41d4-a716-446655440000', 20],
  ['urn:themis:document:a:b!:550e8400-e29b-41d4-a716-446655440000', 22],
  ['urn:themis:document:a:b:550e8400-e29b-41d4-a716-44665544000g', 24],
  ['urn:themis:document:a:550e8400-e29b-41d4-a716-446655440000', 22],
  ['urn:themis:document:a:b:550e8400-e29b-41d4-a716-446655440000:x', 61],
])('refuses %j at offset %i', (text, offset) => {
  try {
    parseUrn(text);
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, 'INVALID_URN')).toBe(true);
    expect((error as { details: { offset: number } }).details.offset).toBe(offset);
  }
});
