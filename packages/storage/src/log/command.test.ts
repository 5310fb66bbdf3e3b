import { expect, test } from 'vitest';
import { Prng } from '@themisdb/base';
import { checkEnvelope, envelopeBytes, timestampOf } from '../envelope.ts';
import { KeySpace } from '../keys.ts';
import { CommandWriter, operationsOf, timestampOfCommand } from './command.ts';

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

test.each([
  ['a newer format', [2, 0, 0, 0, 0, 0, 0, 0, 1], 'FORMAT_UNKNOWN'],
  ['an unknown operation', [1, 0, 0, 0, 0, 0, 0, 0, 1, 9], 'LOG_CORRUPT'],
])('%s is refused', (_, bytes, code) => {
  expect(() => operationsOf(new Uint8Array(bytes), 1, keys)).toThrow(
    expect.objectContaining({ code }),
  );
});
