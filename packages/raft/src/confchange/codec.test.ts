import { utf8Encode } from '@themisdb/base';
import { expect, test } from 'vitest';
import {
  type AnyConfChange,
  ConfChangeTransition,
  ConfChangeType,
  type Entry,
  EntryType,
} from '../types.ts';
import { decodeConfChange, encodeConfChange } from './codec.ts';

// What the library's own encoder gives.
const CASES: [AnyConfChange, EntryType, number[]][] = [
  [
    { type: ConfChangeType.AddNode, nodeId: 300, id: 7, context: utf8Encode('cx') },
    EntryType.ConfChange,
    [8, 7, 16, 0, 24, 172, 2, 34, 2, 99, 120],
  ],
  [
    { type: ConfChangeType.RemoveNode, nodeId: 0, id: undefined, context: new Uint8Array(0) },
    EntryType.ConfChange,
    [16, 1, 24, 0, 34, 0],
  ],
  [
    {
      transition: ConfChangeTransition.JointExplicit,
      changes: [
        { type: ConfChangeType.AddNode, nodeId: 2 ** 40 },
        { type: ConfChangeType.RemoveNode, nodeId: 2 },
      ],
      context: utf8Encode('hello'),
    },
    EntryType.ConfChangeV2,
    [8, 2, 18, 9, 8, 0, 16, 128, 128, 128, 128, 128, 32, 18, 4, 8, 1, 16, 2, 26, 5].concat([
      ...utf8Encode('hello'),
    ]),
  ],
  [{ transition: undefined, changes: [], context: undefined }, EntryType.ConfChangeV2, []],
  [
    { transition: ConfChangeTransition.Auto, changes: [], context: undefined },
    EntryType.ConfChangeV2,
    [8, 0],
  ],
];

const entryOf = (type: EntryType | undefined, data: number[]): Entry => ({
  term: 1,
  index: 1,
  type,
  data: Uint8Array.from(data),
});

test.each(CASES)(
  'change %# has the bytes the library gives it, and comes back',
  (change, type, bytes) => {
    const encoded = encodeConfChange(change);
    expect(encoded.type).toBe(type);
    expect([...encoded.data]).toEqual(bytes);
    expect(decodeConfChange(entryOf(type, bytes))).toEqual(change);
  },
);

test('an absent payload is the change that leaves a joint configuration', () => {
  const entry = { term: 1, index: 1, type: EntryType.ConfChangeV2, data: undefined };
  expect(decodeConfChange(entry)).toEqual({
    transition: undefined,
    changes: [],
    context: undefined,
  });
});

test.each([
  [[255]],
  [[8]],
  [[26, 5, 1]],
  [[0, 1]],
  [[13, 0, 0, 0, 0]],
  [[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
  [[8, 9]],
  [[18, 2, 8, 77]],
])('bytes %j are no change', (bytes) => {
  expect(decodeConfChange(entryOf(EntryType.ConfChangeV2, bytes))).toBeUndefined();
});

test.each([[[255]], [[8]], [[34, 5, 1]], [[13, 0, 0, 0, 0]], [[16, 77]], [[16, 77, 24, 1]]])(
  'bytes %j are no change of one member',
  (bytes) => {
    expect(decodeConfChange(entryOf(EntryType.ConfChange, bytes))).toBeUndefined();
  },
);

test('one change of several that cannot be read spoils all', () => {
  const good = [18, 4, 8, 1, 16, 2];
  for (const bad of [
    [18, 1, 255],
    [18, 2, 8, 77],
    [18, 1, 8],
  ]) {
    for (const bytes of [good.concat(bad), bad.concat(good)]) {
      expect(decodeConfChange(entryOf(EntryType.ConfChangeV2, bytes))).toBeUndefined();
    }
  }
});

test('a normal entry carries no change', () => {
  expect(decodeConfChange(entryOf(EntryType.Normal, [8, 0]))).toBeUndefined();
  expect(decodeConfChange(entryOf(undefined, [8, 0]))).toBeUndefined();
});
