import { utf8Encode } from '@themisdb/base';
import { expect, test } from 'vitest';
import { entriesSize, entrySize, limitSize, payloadsSize, varintSize } from './size.ts';
import { type Entry, EntryType } from './types.ts';

const entry = (index: number, text?: string, type?: EntryType): Entry => ({
  term: 1,
  index,
  type,
  data: text === undefined ? undefined : utf8Encode(text),
});

// Sizes the library's encoder reports for the same entries.
test.each([
  [entry(6), 4],
  [entry(7, 'abc'), 9],
  [entry(8, ''), 6],
  [entry(11, undefined, EntryType.Normal), 6],
  [entry(10, 'four', EntryType.ConfChange), 12],
  [entry(12, '8 bytes.', EntryType.ConfChangeV2), 16],
])('entry %# has the size of its protobuf form', (given, bytes) => {
  expect(entrySize(given)).toBe(bytes);
});

test.each([
  [0, 1],
  [127, 1],
  [128, 2],
  [16_383, 2],
  [16_384, 3],
  [2 ** 49 - 1, 7],
  [2 ** 49, 8],
  [Number.MAX_SAFE_INTEGER, 8],
])('the varint of %i takes %i bytes', (value, bytes) => {
  expect(varintSize(value)).toBe(bytes);
});

test('a limit keeps at least one entry and never goes over otherwise', () => {
  const entries = [entry(1, 'aaa'), entry(2, 'bbb'), entry(3, 'ccc')];
  expect(entriesSize(entries)).toBe(27);
  expect(payloadsSize([...entries, entry(4)])).toBe(9);
  expect(limitSize(entries, 27)).toHaveLength(3);
  expect(limitSize(entries, 26)).toHaveLength(2);
  expect(limitSize(entries, 18)).toHaveLength(2);
  expect(limitSize(entries, 17)).toHaveLength(1);
  expect(limitSize(entries, 0)).toHaveLength(1);
  expect(limitSize(entries, Number.POSITIVE_INFINITY)).toBe(entries);
  expect(limitSize([], 0)).toEqual([]);
});
