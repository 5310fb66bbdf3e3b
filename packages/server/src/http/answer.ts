import type { ServerResponse } from 'node:http';
import { jsonType } from './media-type.ts';

/** What a handler returns; the listener sends it. Header names in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `application/json`, when there is a body. */
  readonly contentType?: string;
  readonly body?: string;
  /** Instead of `body`: pieces sent as they come, each waiting for the client to take the last. */
  readonly stream?: AsyncIterable<string>;
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
}

/** Sends an answer without a stream. */
export function sendWhole(response: ServerResponse, answer: Answer, options: SendOptions): void {
  const { body } = answer;
  const head = headOf(answer, options);
  if (body !== undefined) head.push('content-length', String(Buffer.byteLength(body)));
  else if (answer.status !== 204 && answer.status !== 304) head.push('content-length', '0');
  response.writeHead(answer.status, head);
  response.end(body);
}

export interface StreamOptions extends SendOptions {
  /** A client that takes nothing for this long is dropped. */
  readonly stallMs: number;
  readonly after: (delayMs: number, run: () => void) => { cancel(): void };
}

/**
 * Sends the pieces of a stream, never holding more than one beyond the socket's buffer. Returns when
 * all is out; stops reading (and so ends the source) when the client is gone or stalls.
 */
export async function sendStream(
  response: ServerResponse,
  answer: Answer,
  options: StreamOptions,
): Promise<void> {
  response.writeHead(answer.status, headOf(answer, options));
  for await (const piece of answer.stream!) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response, options);
    if (response.destroyed) return;
  }
  response.end();
}

function drained(response: ServerResponse, options: StreamOptions): Promise<void> {
  return new Promise((resolve) => {
    const timer = options.after(options.stallMs, () => response.destroy());
    const done = (): void => {
      timer.cancel();
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function headOf(answer: Answer, options: SendOptions): string[] {
  const head = ['x-request-id', options.requestId];
  if (answer.body !== undefined || answer.stream !== undefined) {
    head.push('content-type', answer.contentType ?? jsonType);
  }
  if (answer.headers !== undefined) {
    for (const name of Object.keys(answer.headers)) head.push(name, answer.headers[name]!);
  }
  if (options.closeConnection) head.push('connection', 'close');
  return head;
}
