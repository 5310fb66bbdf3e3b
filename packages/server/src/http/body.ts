import type { IncomingMessage } from 'node:http';
import { themisError } from '@themisdb/protocol';

export interface BodyOptions {
  readonly bytesMax: number;
  /** Time for the whole body; a body that stops altogether is met by the socket's own timeout. */
  readonly receiveMs: number;
  readonly now: () => number;
  /** Called before the first byte is taken: a client that asks first is told to go on. */
  readonly begin: () => void;
}

/** Whether the client waits for "100 Continue" before it sends the body. */
export function isAsking(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === '100-continue';
}

/** Sockets on which a body is awaited. */
const receiving = new WeakMap<object, IncomingMessage>();

/** Whether the client owes us the rest of a body. */
export function isReceiving(socket: object): boolean {
  return receiving.get(socket)?.complete === false;
}

/** How many times the limit is read and thrown away, so that the answer finds a sane connection. */
const drainFactor = 4;

/**
 * The body as one piece. BODY_TOO_LARGE as soon as the limit is passed (at once when Content-Length
 * says so), but raised only after the rest was read and dropped, so that the client can read the
 * answer and use the connection again; a body beyond four times the limit ends the connection.
 */
export function readBody(request: IncomingMessage, options: BodyOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const lastMs = options.now() + options.receiveMs;
    receiving.set(request.socket, request);
    let isTooLarge = Number(request.headers['content-length'] ?? 0) > options.bytesMax;
    if (isTooLarge && isAsking(request)) return reject(tooLarge(options.bytesMax));
    // Of one that is destroyed already no event would ever come.
    if (request.destroyed) return reject(cutOff());
    options.begin();
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > options.bytesMax) {
        isTooLarge = true;
        chunks.length = 0;
        if (bytes > drainFactor * options.bytesMax) finish();
      } else if (!isTooLarge) chunks.push(chunk);
      if (options.now() > lastMs && !request.complete) request.socket.destroy();
    };
    const finish = (): void => {
      request.off('data', onData).off('end', finish).off('close', onClose);
      if (isTooLarge) reject(tooLarge(options.bytesMax));
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
    };
    const onClose = (): void => reject(cutOff());
    request.on('data', onData).on('end', finish).on('close', onClose);
  });
}

/** The body as it comes, for routes that take any length; the reader's pace holds the sender back. */
export async function* streamBody(request: IncomingMessage): AsyncIterableIterator<Uint8Array> {
  receiving.set(request.socket, request);
  try {
    for await (const chunk of request) yield chunk as Buffer;
  } catch (error) {
    throw cutOff(error);
  }
}

function cutOff(cause?: unknown): Error {
  return themisError('BAD_REQUEST', { message: 'the connection ended within the body', cause });
}

export function tooLarge(bytesMax: number): Error {
  return themisError('BODY_TOO_LARGE', {
    message: `the body is larger than ${bytesMax} bytes (setting limits.bodyBytesMax)`,
    details: { limit: 'body', max: bytesMax },
  });
}
