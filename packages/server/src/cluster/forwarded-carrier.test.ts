import { expect, test } from 'vitest';
import type { CallContext } from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import { encodeHead, noBytes } from './forward-codec.ts';
import { ForwardedCarrier } from './forwarded-carrier.ts';

const head = encodeHead({ method: 'POST', url: '/x', headers: {} }, noBytes);

/** Pieces that never come. */
const silence: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
};

function carrierOf(chunks: AsyncIterable<Uint8Array>): ForwardedCarrier {
  const peer = { nodeId: 2, clusterId: 'c', role: 'node' };
  const context = { peer, signal: new AbortController().signal } as unknown as CallContext;
  const carrier = new ForwardedCarrier(head, chunks, context);
  carrier.answer.catch(() => undefined);
  return carrier;
}

test('who takes nothing of the answer is gone once that took too long', async () => {
  const carrier = carrierOf(silence);
  let closed = 0;
  carrier.onClose(() => closed++);
  carrier.begin(200, []);
  let stall = (): void => undefined;
  const after = (_: number, run: () => void): { cancel(): void } => {
    stall = run;
    return { cancel: () => undefined };
  };
  const written = carrier.write('a', { stallMs: 1, after });
  expect(carrier.isGone).toBe(false);
  stall();
  await written;
  expect([carrier.isGone, closed]).toEqual([true, 1]);
  const { chunks } = await carrier.answer;
  await expect(chunks[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
  });
});

test('a server that stops waits for no body and no reader', async () => {
  const stopped = themisError('SHUTTING_DOWN', { message: 'm' });
  const reading = carrierOf(silence);
  const body = reading.receive({ bytesMax: 10 });
  reading.cutShort(stopped);
  await expect(body).rejects.toBe(stopped);
  await expect(reading.stream().next()).rejects.toBe(stopped);
  // Whoever waits is told.
  expect(reading.isGone).toBe(false);

  const telling = carrierOf(silence);
  telling.begin(200, []);
  const patience = { stallMs: 1, after: () => ({ cancel: () => undefined }) };
  const written = telling.write('a', patience);
  telling.cutShort(stopped);
  await written;
  expect(telling.isGone).toBe(true);
});
