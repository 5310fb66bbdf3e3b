import { expect, test } from 'vitest';
import { Prng } from '@themisdb/base';
import { checkEnvelope, envelopeBytes, timestampOf } from '../envelope.ts';
import { KeySpace } from '../keys.ts';
import {
  commandKind,
  CommandWriter,
  operationsOf,
  partBytesMax,
  PartCollector,
  recordsNeeded,
  recordsOf,
  timestampOfCommand,
} from './command.ts';

const keys = new KeySpace(1);

test('the bytes mean what the writer says they mean', () => {
  const prng = new Prng(1);
  const command = new CommandWriter(77n, 0);
  for (let i = 0; i < 200; i++) {
    const kind = prng.below(4);
    const [a, b] = [prng.bytes(prng.below(300)), prng.bytes(prng.below(300))];
    if (kind === 0) command.put(a, b);
    else if (kind === 1) command.delete(a);
    else if (kind === 2) command.deleteRange(a, b);
    else command.putRecord(a, b, 77n);
  }
  command.changes(new Uint8Array([1, 2, 3]));
  const { payload, operations, changes } = command.finish();
  expect(timestampOfCommand(payload)).toBe(77n);
  const read = operationsOf(payload, 9, keys);
  expect(read.pop()).toEqual({ type: 'put', key: keys.change(9), value: changes });
  expect(read).toEqual(operations);
});

test('a record gets an envelope with its checksum', () => {
  const command = new CommandWriter(5n, 0);
  const body = new Uint8Array([0x81, 0xa1, 0x61, 1]);
  command.putRecord(new Uint8Array([1]), body, 5n);
  const [operation] = command.finish().operations;
  const { value } = operation as { value: Uint8Array };
  expect(() => checkEnvelope(value)).not.toThrow();
  expect(timestampOf(value)).toBe(5n);
  expect([...value.subarray(envelopeBytes)]).toEqual([...body]);
  for (let i = 0; i < value.length; i++) {
    const damaged = value.slice();
    damaged[i]! ^= 1;
    expect(() => checkEnvelope(damaged), `byte ${i}`).toThrow(
      expect.objectContaining({ code: 'DATA_CORRUPT' }),
    );
  }
});

test('a long command is cut into parts and put together again', () => {
  const payload = new Uint8Array(2 * partBytesMax + 5);
  payload[partBytesMax] = 1;
  payload[2 * partBytesMax + 4] = 2;
  const records = recordsOf(payload, { group: 1, firstIndex: 10, term: 1 });
  expect(records.map(({ index, kind }) => [index, kind])).toEqual([
    [10, commandKind.part],
    [11, commandKind.part],
    [12, commandKind.command],
  ]);
  expect(recordsNeeded(payload.length)).toBe(3);
  expect(recordsNeeded(0)).toBe(1);
  expect(recordsNeeded(partBytesMax)).toBe(1);
  const collector = new PartCollector();
  expect(collector.add(records[0]!)).toBeUndefined();
  expect(collector.add(records[1]!)).toBeUndefined();
  const whole = collector.add(records[2]!)!;
  expect(whole.length).toBe(payload.length);
  expect([whole[partBytesMax], whole[2 * partBytesMax + 4]]).toEqual([1, 2]);
});

test.each([
  ['a newer format', [2, 0, 0, 0, 0, 0, 0, 0, 1], 'FORMAT_UNKNOWN'],
  ['an unknown operation', [1, 0, 0, 0, 0, 0, 0, 0, 1, 9], 'LOG_CORRUPT'],
])('%s is refused', (_, bytes, code) => {
  expect(() => operationsOf(new Uint8Array(bytes), 1, keys)).toThrow(
    expect.objectContaining({ code }),
  );
});
