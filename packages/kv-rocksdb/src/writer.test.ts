import { type ThemisError, utf8Decode, utf8Encode } from '@themisdb/base';
import type { KvOperation } from '@themisdb/kv';
import { expect, test } from 'vitest';
import type { NativeSession } from './binding.ts';
import { Writer } from './writer.ts';

/** Records the native batches and answers when told to. */
class FakeSession {
  readonly batches: string[][] = [];
  readonly #answers: ((error?: Error) => void)[] = [];

  write(): unknown {
    let batch: string[] = [];
    return {
      tryPut: (key: Uint8Array) => batch.push(utf8Decode(key)),
      tryDelete: (key: Uint8Array) => batch.push(`-${utf8Decode(key)}`),
      tryDeleteRange: (gte: Uint8Array) => batch.push(`--${utf8Decode(gte)}`),
      destroy: () => {},
      flush: () => {
        this.batches.push(batch);
        batch = [];
        return new Promise<void>((resolve, reject) =>
          this.#answers.push((error) => (error === undefined ? resolve() : reject(error))),
        );
      },
    };
  }

  async answer(error?: Error): Promise<void> {
    this.#answers.shift()!(error);
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function setUp(): { session: FakeSession; writer: Writer; failures: ThemisError[] } {
  const session = new FakeSession();
  const failures: ThemisError[] = [];
  const writer = new Writer(session as unknown as NativeSession, (each) => failures.push(each));
  return { session, writer, failures };
}

function put(key: string): KvOperation {
  return { type: 'put', key: utf8Encode(key), value: new Uint8Array(0) };
}

test('one native batch is under way at a time, and takes what waits', async () => {
  const { session, writer } = setUp();
  const writes = [writer.write([put('a'), put('b')]), writer.write([put('c')])];
  await turn();
  expect(session.batches).toEqual([['a', 'b', 'c']]);
  writes.push(writer.write([put('d')]), writer.write([put('e')]));
  await turn();
  expect(session.batches).toHaveLength(1);
  await session.answer();
  expect(session.batches).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e'],
  ]);
  await session.answer();
  await Promise.all(writes);
  await writer.idle();
});

test('a group stops growing at some thousand operations, but takes one batch of any size', async () => {
  const { session, writer } = setUp();
  const large = Array.from({ length: 5_000 }, (_, i) => put(String(i)));
  const writes = [large, [put('a')], [put('b')]].map((batch) => writer.write(batch));
  await turn();
  await session.answer();
  await session.answer();
  await Promise.all(writes);
  expect(session.batches.map((batch) => batch.length)).toEqual([5_000, 2]);
});

test('a refused group rejects all its writes and is reported', async () => {
  const { session, writer, failures } = setUp();
  const writes = Promise.allSettled([writer.write([put('a')]), writer.write([put('b')])]);
  await turn();
  await session.answer(new Error('No space left on device'));
  for (const write of await writes) {
    expect(write).toMatchObject({ status: 'rejected', reason: { code: 'DISK_FULL' } });
  }
  expect(failures).toHaveLength(1);
  const next = writer.write([put('c')]);
  await turn();
  await session.answer();
  await next;
});
