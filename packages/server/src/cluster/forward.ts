import type { IncomingHttpHeaders } from 'node:http';
import { hasCode, type ThemisError } from '@themisdb/base';
import type { Peer } from '@themisdb/channel';
import type { Problem } from '@themisdb/protocol';
import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { problemType } from '../http/media-type.ts';
import { refusedAtTheDoor } from '../http/stopping.ts';
import { decodeHead, encodeHead, noBytes, splitBody, type AnswerHead } from './forward-codec.ts';
import { Wanted } from './wanted.ts';

export interface Forwarded {
  readonly answer: Answer;
  /** Of a problem that says the node could not serve it, or not in time (status 503, 408). */
  readonly problem: Problem | undefined;
}

/** The other node has the same deadline: its own word is worth waiting for. */
const graceMs = 500;

/** About the connection of the client, or made anew for the other node. */
const ownHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'origin',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
  'x-request-timeout',
]);

/**
 * Sends a request whole to another node and gives its answer. Rejects with what the channel says when
 * there is none, and with SHUTTING_DOWN when this node stops; `mayBeDone` tells what that means. With
 * `isStream` the body goes there as the client sends it, else as one piece.
 */
export async function forward(
  peer: Peer,
  exchange: Exchange,
  isStream: boolean,
): Promise<Forwarded> {
  const { inline, chunks } = isStream
    ? { inline: noBytes, chunks: exchange.rawStream() }
    : splitBody(await exchange.wholeBody());
  if (exchange.services.stopNow.aborted) throw refusedAtTheDoor();
  // Once the body is here: what it took is gone.
  const leftMs = exchange.remainingMs();
  const remainingMs = Number.isFinite(leftMs) ? Math.max(1, Math.floor(leftMs)) : undefined;
  const headers = headersFor(exchange, remainingMs);
  const { method, url } = exchange.carrier;
  const head = encodeHead({ method, url, headers }, inline);
  const wanted = new Wanted(exchange);
  try {
    const deadlineMs = remainingMs === undefined ? undefined : remainingMs + graceMs;
    const answer = await peer.duplex('request', head, chunks, {
      deadlineMs,
      signal: wanted.signal,
    });
    return await read(answer.head, answer.chunks);
  } finally {
    wanted.end();
  }
}

/** What `forward` rejects with when no answer came of a request that may have been carried out there. */
export function mayBeDone(error: unknown): error is ThemisError {
  // Of the signal of this node's stop, which does not say how far the request came.
  if (hasCode(error, 'SHUTTING_DOWN')) return error.details['started'] !== false;
  const isCutOff = hasCode(error, 'CONNECTION_FAILED', 'REQUEST_TIMEOUT', 'REQUEST_CANCELLED');
  return isCutOff && error.details['sent'] !== false;
}

function headersFor(exchange: Exchange, remainingMs: number | undefined): IncomingHttpHeaders {
  const out: IncomingHttpHeaders = { 'x-request-id': exchange.requestId };
  if (remainingMs !== undefined) out['x-request-timeout'] = String(remainingMs);
  const { headers } = exchange.carrier;
  for (const name of Object.keys(headers)) if (!ownHeaders.has(name)) out[name] = headers[name];
  // Only whether there is a body is asked of these.
  const { 'transfer-encoding': encoding, 'content-length': length } = headers;
  if (encoding !== undefined) out['transfer-encoding'] = encoding;
  else if (length !== undefined) out['content-length'] = length;
  return out;
}

async function read(bytes: Uint8Array, chunks: AsyncIterable<Uint8Array>): Promise<Forwarded> {
  const { head, body } = decodeHead<AnswerHead>(bytes);
  const facts = factsOf(head);
  if (head.isStream === true) {
    return { answer: { ...facts, stream: chunks }, problem: undefined };
  }
  const parts = [body];
  for await (const chunk of chunks) parts.push(chunk);
  const whole = parts.length === 1 ? body : Buffer.concat(parts);
  const isNotServed = head.status === 503 || head.status === 408;
  const isProblem = isNotServed && facts.contentType === problemType;
  const problem = isProblem ? (JSON.parse(Buffer.from(whole).toString()) as Problem) : undefined;
  return { answer: whole.length === 0 ? facts : { ...facts, bytes: whole }, problem };
}

const madeAnew: ReadonlySet<string> = new Set(['connection', 'content-length', 'x-request-id']);

function factsOf({ status, head }: AnswerHead): Pick<Answer, 'status' | 'headers' | 'contentType'> {
  const headers: Record<string, string> = {};
  let contentType: string | undefined;
  for (let i = 0; i < head.length; i += 2) {
    const name = head[i]!;
    if (name === 'content-type') contentType = head[i + 1]!;
    else if (!madeAnew.has(name)) headers[name] = head[i + 1]!;
  }
  return { status, headers, ...(contentType === undefined ? {} : { contentType }) };
}
