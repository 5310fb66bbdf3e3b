import type { Carrier, Patience } from './carrier.ts';
import { jsonType } from './media-type.ts';

/** What a handler returns; the listener sends it. Header names in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `application/json`, when there is a body. */
  readonly contentType?: string;
  readonly body?: string;
  /** Instead of `body`, when another node made it. */
  readonly bytes?: Uint8Array;
  /** Instead of `body`: pieces sent as they come, each waiting for the client to take the last. */
  readonly stream?: AsyncIterable<string | Uint8Array>;
}

/** Serialises once. `undefined` attributes are left out, as JSON.stringify does. */
export function json(
  status: number,
  value: unknown,
  headers?: Readonly<Record<string, string>>,
): Answer {
  const body = JSON.stringify(value);
  return headers === undefined ? { status, body } : { status, body, headers };
}

export function empty(status: number, headers?: Readonly<Record<string, string>>): Answer {
  return headers === undefined ? { status } : { status, headers };
}

export interface SendOptions {
  readonly requestId: string;
  readonly closeConnection: boolean;
  /** Where the node that leads is reached by clients. */
  readonly leaderUrl: string | undefined;
}

/** Sends an answer without a stream. */
export function sendWhole(carrier: Carrier, answer: Answer, options: SendOptions): void {
  const body = answer.body ?? answer.bytes;
  const head = headOf(answer, options);
  if (body !== undefined) head.push('content-length', String(Buffer.byteLength(body)));
  else if (answer.status !== 204 && answer.status !== 304) head.push('content-length', '0');
  carrier.send(answer.status, head, body);
}

/**
 * Sends the pieces of a stream, never holding more than one beyond what the carrier holds. Returns when
 * all is out; stops reading (and so ends the source) when the client is gone or stalls.
 */
export async function sendStream(
  carrier: Carrier,
  answer: Answer,
  options: SendOptions & Patience,
): Promise<void> {
  carrier.begin(answer.status, headOf(answer, options));
  for await (const piece of answer.stream!) {
    if (carrier.isGone) return;
    const taken = carrier.write(piece, options);
    if (taken !== undefined) await taken;
    if (carrier.isGone) return;
  }
  carrier.finish();
}

function headOf(answer: Answer, options: SendOptions): string[] {
  const head = ['x-request-id', options.requestId];
  const { body, bytes, stream, headers } = answer;
  if (body !== undefined || bytes !== undefined || stream !== undefined) {
    head.push('content-type', answer.contentType ?? jsonType);
  }
  if (headers !== undefined) {
    for (const name of Object.keys(headers)) head.push(name, headers[name]!);
  }
  if (options.leaderUrl !== undefined) head.push('x-themis-leader', options.leaderUrl);
  if (options.closeConnection) head.push('connection', 'close');
  return head;
}
