import type { IncomingHttpHeaders } from 'node:http';
import { themisError } from '@themisdb/protocol';

/** A request on its way to another node, without what comes of the body behind the head. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface AnswerHead {
  readonly status: number;
  /** Names and values in turn. */
  readonly head: readonly string[];
  /** The rest of the body comes in chunks of unknown number. */
  readonly isStream?: boolean;
}

/** `[length u32][JSON][first bytes of the body]`: a small message is one frame. */
export function encodeHead(head: RequestHead | AnswerHead, body: Uint8Array): Uint8Array {
  const json = Buffer.from(JSON.stringify(head));
  const out = Buffer.allocUnsafe(4 + json.length + body.length);
  out.writeUInt32LE(json.length);
  out.set(json, 4);
  out.set(body, 4 + json.length);
  return out;
}

export function decodeHead<Head extends RequestHead | AnswerHead>(
  bytes: Uint8Array,
): { readonly head: Head; readonly body: Uint8Array } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = view.length < 4 ? Infinity : 4 + view.readUInt32LE();
  if (end > view.length) {
    throw themisError('PROTOCOL_ERROR', { message: 'a forwarded message is cut short' });
  }
  const head = JSON.parse(view.toString('utf8', 4, end)) as Head;
  return { head, body: view.subarray(end) };
}

/** Bodies up to this travel in the head. */
export const inlineBytesMax: number = 64 * 1024;
const chunkBytes: number = 256 * 1024;

export const noBytes: Uint8Array = new Uint8Array(0);

/** What goes into the head, and what behind it. */
export function splitBody(body: Uint8Array): {
  readonly inline: Uint8Array;
  readonly chunks: AsyncIterable<Uint8Array>;
} {
  return body.length <= inlineBytesMax
    ? { inline: body, chunks: chunksOf(noBytes) }
    : { inline: noBytes, chunks: chunksOf(body) };
}

// eslint-disable-next-line typescript/require-await
async function* chunksOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += chunkBytes) yield body.subarray(at, at + chunkBytes);
}
