import { isFromCaller } from '../wire/frame.ts';

export interface LongMessage {
  readonly type: number;
  readonly flags: number;
  readonly callId: number;
  readonly operation: number;
  readonly value: number;
  readonly body: Uint8Array;
  /** Bytes of `body` sent already. */
  sent: number;
}

/**
 * Messages too long for one frame, and what has to wait behind them because it belongs to the same
 * call. One is sent after the other, so that the receiver puts together one at a time; short frames of
 * other calls go between their frames.
 */
export class LongMessages {
  readonly #queue: LongMessage[] = [];
  readonly #waiting = new Map<number, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get first(): LongMessage | undefined {
    return this.#queue[0];
  }

  /** Whether a frame of this call and direction has to queue here to keep its order. Call id 0 is none. */
  blocks(type: number, callId: number): boolean {
    return callId !== 0 && this.#queue.length > 0 && this.#waiting.has(keyOf(type, callId));
  }

  push(message: LongMessage): void {
    const key = keyOf(message.type, message.callId);
    this.#queue.push(message);
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1);
    this.#bytes += message.body.length;
  }

  /** Counts `bytes` of the first message as sent, and drops it when it is done. */
  advance(bytes: number): void {
    const message = this.#queue[0]!;
    message.sent += bytes;
    this.#bytes -= bytes;
    if (message.sent < message.body.length) return;
    this.#queue.shift();
    const key = keyOf(message.type, message.callId);
    const left = this.#waiting.get(key)! - 1;
    if (left === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, left);
  }
}

function keyOf(type: number, callId: number): number {
  return callId * 2 + (isFromCaller(type) ? 1 : 0);
}
