import { expect, test } from 'vitest';
import { ConfChangeType, type Entry, EntryType } from '../types.ts';
import { decodeConfChange, encodeConfChange } from './codec.ts';
import { WireReader, WireWriter } from './wire.ts';

test.each([
  0,
  1,
  127,
  128,
  16_383,
  16_384,
  2 ** 49 - 1,
  2 ** 49,
  2 ** 50 + 3,
  Number.MAX_SAFE_INTEGER,
])('number %d comes back', (value) => {
  const writer = new WireWriter();
  writer.varintField(3, value);
  expect(new WireReader(writer.finish()).fields()?.number(3)).toBe(value);
});

test('a number of 128 takes two bytes, of 127 one', () => {
  const bytesOf = (value: number): number[] => {
    const writer = new WireWriter();
    writer.varintField(1, value);
    return [...writer.finish()];
  };
  expect(bytesOf(127)).toEqual([8, 127]);
  expect(bytesOf(128)).toEqual([8, 128, 1]);
});

test.each([1, 5, 7, 8, 15, 16, 63, 64, 1_000])('field %i is found under its number', (field) => {
  const writer = new WireWriter();
  writer.varintField(field, 5);
  writer.bytesField(field + 1, Uint8Array.of(6, 7));
  const fields = new WireReader(writer.finish()).fields();
  expect([fields?.number(field), fields?.bytes(field)]).toEqual([5, undefined]);
  expect([fields?.number(field + 1), fields?.bytes(field + 1)]).toEqual([
    undefined,
    Uint8Array.of(6, 7),
  ]);
  expect([fields?.number(field + 2), fields?.bytes(field + 2)]).toEqual([undefined, undefined]);
});

test.each([
  ['a number', [8, 128]],
  ['a tag', [136]],
  ['a length', [10, 130]],
  ['bytes', [10, 2, 0]],
])('%s cut short makes the whole unreadable', (_, bytes) => {
  expect(new WireReader(Uint8Array.from(bytes)).fields()).toBeUndefined();
});

test('a number is read from up to eight bytes, as many as 2^53 needs', () => {
  const read = (zeros: number): number | undefined =>
    new WireReader(Uint8Array.of(8, 129, ...Array.from({ length: zeros }, () => 128), 0))
      .fields()
      ?.number(1);
  expect([0, 5, 6, 7, 8].map(read)).toEqual([1, 1, 1, undefined, undefined]);
});

test('of a field given twice the last counts', () => {
  expect(new WireReader(Uint8Array.of(8, 1, 8, 2)).fields()?.number(1)).toBe(2);
  const bytes = Uint8Array.of(10, 1, 7, 10, 1, 8, 10, 1, 9);
  expect(new WireReader(bytes).fields()?.bytes(1)).toEqual(Uint8Array.of(9));
});

test('a change whose type was left out adds a voter', () => {
  const entryOf = (type: EntryType, data: number[]): Entry => ({
    term: 1,
    index: 1,
    type,
    data: Uint8Array.from(data),
  });
  expect(decodeConfChange(entryOf(EntryType.ConfChange, [24, 5]))).toMatchObject({
    type: ConfChangeType.AddNode,
    nodeId: 5,
  });
  expect(decodeConfChange(entryOf(EntryType.ConfChangeV2, [18, 2, 16, 6]))).toMatchObject({
    changes: [{ type: ConfChangeType.AddNode, nodeId: 6 }],
  });
  expect(decodeConfChange(entryOf(EntryType.ConfChange, []))).toMatchObject({ nodeId: 0 });
  expect(decodeConfChange(entryOf(EntryType.ConfChangeV2, [18, 0]))).toMatchObject({
    changes: [{ type: ConfChangeType.AddNode, nodeId: 0 }],
  });
});

test('a change of node 128 comes back', () => {
  const { type, data } = encodeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 128 });
  expect(decodeConfChange({ term: 1, index: 1, type, data })).toMatchObject({ nodeId: 128 });
});
