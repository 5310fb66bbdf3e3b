import { randomBytes } from 'node:crypto';
import { isThemisError, type Env } from '@themisdb/base';
import type { ShardChannel } from '@themisdb/channel';
import {
  decodeHead,
  encodeHead,
  inlineBytesMax,
  noBytes,
  type AnswerHead,
} from '../cluster/forward-codec.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { HttpCarrier, Patience } from '../http/carrier.ts';
import { problemType } from '../http/media-type.ts';
import { problemOf, problemText } from '../http/problem.ts';

export interface PassOptions {
  readonly channel: ShardChannel;
  readonly env: Pick<Env, 'clock' | 'timers' | 'log'>;
  readonly config: ServerConfig;
}

/** Brings a client's request to the thread that runs it, and the answer back. Never rejects. */
export async function pass(options: PassOptions, carrier: HttpCarrier): Promise<void> {
  const gone = new AbortController();
  const onGone = (): void => {
    if (!carrier.isSent) gone.abort(new Error('the client closed the connection'));
  };
  carrier.onClose(onGone);
  try {
    const { inline, chunks } = await bodyOf(options, carrier);
    const { method, url, headers } = carrier;
    const { channel } = options;
    const head = encodeHead({ method, url, headers }, inline);
    const answer = await channel.duplex('request', head, chunks, { signal: gone.signal });
    await give(options, carrier, answer.head, answer.chunks);
  } catch (error) {
    if (!gone.signal.aborted) refuse(options, carrier, error);
  } finally {
    carrier.offClose(onGone);
  }
}

/** A small body goes with the head, in one message; any other as it comes. */
async function bodyOf(
  { env, config }: PassOptions,
  carrier: HttpCarrier,
): Promise<{ inline: Uint8Array; chunks: AsyncIterable<Uint8Array> }> {
  const { 'content-length': length, 'transfer-encoding': encoding } = carrier.headers;
  if (encoding === undefined && (length === undefined || length === '0')) {
    return { inline: noBytes, chunks: none };
  }
  if (encoding !== undefined || Number(length) > inlineBytesMax) {
    return { inline: noBytes, chunks: carrier.stream() };
  }
  const inline = await carrier.receive({
    bytesMax: inlineBytesMax,
    receiveMs: config.limits.receiveTimeoutMs,
    now: () => env.clock.monotonicMs(),
  });
  return { inline, chunks: none };
}

const none: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

async function give(
  { env, config }: PassOptions,
  carrier: HttpCarrier,
  bytes: Uint8Array,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { head, body } = decodeHead<AnswerHead>(bytes);
  const fields = [...head.head];
  if (carrier.isMuchLeft(config.limits.bodyBytesMax)) fields.push('connection', 'close');
  if (head.isStream !== true) {
    const parts = [body];
    for await (const chunk of chunks) parts.push(chunk);
    const whole = parts.length === 1 ? body : Buffer.concat(parts);
    return carrier.send(head.status, fields, whole.length === 0 ? undefined : whole);
  }
  const after: Patience['after'] = (delayMs, run) => env.timers.after(delayMs, run);
  const patience = { stallMs: config.limits.receiveTimeoutMs, after };
  carrier.begin(head.status, fields);
  for await (const chunk of chunks) {
    if (carrier.isGone) return;
    await carrier.write(chunk, patience);
  }
  carrier.finish();
}

/** The other thread did not answer. */
function refuse({ env }: PassOptions, carrier: HttpCarrier, error: unknown): void {
  if (carrier.hasBegun || carrier.isGone) return carrier.abort();
  const { problem, status } = problemOf(error, `f-${randomBytes(6).toString('base64url')}`);
  if (!isThemisError(error)) {
    env.log.write('error', 'a request could not be passed on', { error });
  }
  const body = problemText(problem);
  const head = ['x-request-id', problem.request_id, 'content-type', problemType];
  carrier.send(status, [...head, 'content-length', String(Buffer.byteLength(body))], body);
}
