import { emptyBytes, type NetworkConnection } from '@themisdb/base';
import { expect, test } from 'vitest';
import { frameTypes } from '../wire/frame.ts';
import { FrameWriter } from './frame-writer.ts';

function setUp() {
  const writes: number[] = [];
  const state = { takesMore: true };
  const connection = {
    bufferedBytes: 0,
    write: (bytes: Uint8Array) => (writes.push(bytes.length), state.takesMore),
  } as unknown as NetworkConnection;
  const scheduled: (() => void)[] = [];
  const writer = new FrameWriter(connection, 2_000, (flush) => void scheduled.push(flush));
  const send = (bytes: number): void =>
    writer.send(frameTypes.answer, 0, 1, 0, 0, bytes === 0 ? emptyBytes : new Uint8Array(bytes));
  const turn = (): void => scheduled.splice(0).forEach((flush) => flush());
  return { writer, writes, state, send, turn };
}

test('what is sent in a turn is one write', () => {
  const { writes, send, turn } = setUp();
  for (let i = 0; i < 10; i++) send(90);
  expect(writes).toEqual([]);
  turn();
  expect(writes).toEqual([1_000]);
  turn();
  expect(writes).toEqual([1_000]);
});

test('nothing is written to a full connection before it has drained', () => {
  const { writer, writes, state, send, turn } = setUp();
  state.takesMore = false;
  send(90);
  turn();
  send(90);
  send(10_000);
  turn();
  expect(writes).toEqual([100]);
  expect(writer.bufferedBytes).toBe(100 + 10_000);
  // One write at a time while each fills it.
  writer.drained();
  expect(writes).toEqual([100, 100]);
  send(0);
  turn();
  writer.drained();
  expect(writes).toEqual([100, 100, 2_010]);
});

test('nor when it filled up after a write was planned', () => {
  const { writer, writes, state, send, turn } = setUp();
  send(90);
  state.takesMore = false;
  writer.drained();
  send(5_000);
  turn();
  expect(writes).toEqual([100]);
  state.takesMore = true;
  writer.drained();
  expect(writes).toEqual([100, 2_010, 2_010, 1_010]);
  expect(writer.bufferedBytes).toBe(0);
});
