import { expect, test } from 'vitest';
import { entriesNeeded, entriesOf, entryForm, PartCollector } from './entries.ts';
import { recordKind, recordKindOf, RecordReader } from './wal-records.ts';

const partBytesMax = 100;

function longCommand(): Uint8Array {
  const payload = new Uint8Array(2 * partBytesMax + 5);
  payload[0] = entryForm.command;
  payload[partBytesMax] = 1;
  payload[2 * partBytesMax + 4] = 2;
  return payload;
}

const small = (byte: number): Uint8Array => Uint8Array.of(entryForm.command, byte);

test('a long command is cut into parts and put together again', () => {
  const payload = longCommand();
  const entries = entriesOf(payload, partBytesMax);
  expect(entries.map((entry) => entry[0])).toEqual([2, 3, 4]);
  expect(entriesNeeded(payload.length, partBytesMax)).toBe(3);
  expect(entriesNeeded(partBytesMax, partBytesMax)).toBe(1);
  const collector = new PartCollector();
  expect(collector.add(entries[0])).toBeUndefined();
  expect(collector.isOpen).toBe(true);
  expect(collector.add(entries[1])).toBeUndefined();
  const whole = collector.add(entries[2])!;
  expect(whole.length).toBe(payload.length);
  expect([whole[partBytesMax], whole[2 * partBytesMax + 4]]).toEqual([1, 2]);
  expect(collector.isOpen).toBe(false);
});

test('parts whose leader was deposed are forgotten, whatever follows', () => {
  const entries = entriesOf(longCommand(), partBytesMax);
  const collector = new PartCollector();
  collector.add(entries[0]);
  collector.add(entries[1]);
  expect(collector.add(undefined)).toBeUndefined();
  expect(collector.add(entries[2])).toBeUndefined();
  collector.add(entries[0]);
  expect(collector.add(small(7))).toEqual(small(7));
  collector.add(entries[0]);
  for (const entry of entries) collector.add(entry);
  expect(collector.isOpen).toBe(false);
});

test('records give entries back, those of format 1 too', () => {
  const reader = new RecordReader();
  const record = (kind: number, payload: Uint8Array) => ({
    group: 1,
    index: 9,
    term: 1,
    kind,
    payload,
  });
  for (const data of [small(1), Uint8Array.of(entryForm.lastPart, 1), undefined]) {
    const payload = data ?? new Uint8Array(0);
    expect(reader.data(record(recordKindOf(data), payload))).toEqual(data);
  }
  const bare = [recordKind.bare, recordKind.bare, recordKind.command].map((kind, i) =>
    reader.data(record(kind, Uint8Array.of(i))),
  );
  expect(bare.map((data) => [...data!])).toEqual([
    [entryForm.firstPart, 0],
    [entryForm.middlePart, 1],
    [entryForm.lastPart, 2],
  ]);
  expect(reader.data(record(recordKind.command, small(3)))).toEqual(small(3));
  expect(() => reader.data(record(99, small(1)))).toThrow(
    expect.objectContaining({ code: 'FORMAT_UNKNOWN' }),
  );
});
