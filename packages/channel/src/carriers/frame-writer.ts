import type { NetworkConnection } from '@themisdb/base';
import { writeU16, writeU32 } from '../wire/decoder.ts';
import { fixedBytesOf, frameFlags, frameTypes, headBytes, lengthBytes } from '../wire/frame.ts';
import { LongMessages } from './long-messages.ts';
import { Outbox } from './outbox.ts';

/**
 * Encodes frames and writes them once a loop turn. When the connection takes no more, frames gather
 * until it has drained.
 */
export class FrameWriter {
  readonly #connection: NetworkConnection;
  readonly #schedule: (flush: () => void) => void;
  readonly #outbox = new Outbox();
  readonly #long = new LongMessages();
  #bodyBytesMax: number;
  #isScheduled = false;
  #isSaturated = false;

  /** `schedule` runs its argument once, when the loop turn has done what there was to do. */
  constructor(
    connection: NetworkConnection,
    bodyBytesMax: number,
    schedule: (flush: () => void) => void,
  ) {
    this.#connection = connection;
    this.#bodyBytesMax = bodyBytesMax;
    this.#schedule = schedule;
  }

  get bufferedBytes(): number {
    return this.#outbox.bytes + this.#long.bytes + this.#connection.bufferedBytes;
  }

  setBodyBytesMax(bodyBytesMax: number): void {
    this.#bodyBytesMax = bodyBytesMax;
  }

  send(
    type: number,
    flags: number,
    callId: number,
    operation: number,
    value: number,
    body: Uint8Array,
  ): void {
    const isLong = fixedBytesOf(type) + body.length > this.#bodyBytesMax;
    if (isLong || this.#long.blocks(type, callId)) {
      this.#long.push({ type, flags, callId, operation, value, body, sent: 0 });
    } else {
      this.#encode(type, flags, callId, operation, value, body);
    }
    this.#scheduleFlush();
  }

  /** Writes now what has gathered: the last words before an end. */
  flush(): void {
    this.#outbox.writeTo(this.#connection);
  }

  drained(): void {
    this.#isSaturated = false;
    this.#turn();
  }

  #scheduleFlush(): void {
    if (this.#isScheduled || this.#isSaturated) return;
    this.#isScheduled = true;
    this.#schedule(this.#flushScheduled);
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    if (!this.#isSaturated) this.#turn();
  };

  #turn(): void {
    this.#isSaturated = !this.#outbox.writeTo(this.#connection);
    while (!this.#isSaturated && this.#long.first !== undefined) {
      this.#encodeLongPart();
      this.#isSaturated = !this.#outbox.writeTo(this.#connection);
    }
  }

  #encodeLongPart(): void {
    const { type, flags, callId, operation, value, body, sent } = this.#long.first!;
    const isStart = sent === 0;
    const room = this.#bodyBytesMax - (isStart ? fixedBytesOf(type) : 0);
    const part = body.subarray(sent, sent + room);
    const isLast = sent + part.length === body.length;
    const sentFlags = (isStart ? flags : 0) | (isLast ? 0 : frameFlags.more);
    this.#encode(
      isStart ? type : frameTypes.continuation,
      sentFlags,
      callId,
      operation,
      value,
      part,
    );
    this.#long.advance(part.length);
  }

  #encode(
    type: number,
    flags: number,
    callId: number,
    operation: number,
    value: number,
    body: Uint8Array,
  ): void {
    const fixed = fixedBytesOf(type);
    const length = lengthBytes + headBytes + fixed;
    const out = this.#outbox.reserve(length);
    let at = this.#outbox.end - length;
    writeU32(out, at, headBytes + fixed + body.length);
    out[at + 4] = type;
    out[at + 5] = flags;
    writeU32(out, at + 6, callId);
    at += 10;
    if (fixed !== 4 && fixed !== 0) {
      writeU16(out, at, operation);
      at += 2;
    }
    if (fixed >= 4) writeU32(out, at, value);
    if (body.length > 0) this.#outbox.append(body);
  }
}
