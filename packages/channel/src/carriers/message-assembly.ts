import { FrameFault } from '../wire/faults.ts';
import { fixedBytesMax, frameFlags } from '../wire/frame.ts';

// Frames with more to come are at least this long, so that a message has few parts.
const partBytesMin = 1_000;

/** Puts the body of a long message together. At most one is under way in a direction. */
export class MessageAssembly {
  readonly #messageBytesMax: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #type = 0;
  #flags = 0;
  #callId = 0;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax + fixedBytesMax;
  }

  get isUnderWay(): boolean {
    return this.#parts.length > 0;
  }

  begin(type: number, flags: number, callId: number, body: Uint8Array): void {
    if (this.isUnderWay) throw new FrameFault('out-of-place', 'a second long message has begun');
    this.#type = type;
    this.#flags = flags & ~frameFlags.more;
    this.#callId = callId;
    this.#bytes = 0;
    this.#add(flags, body);
  }

  /** True when that was the last part. */
  goOn(flags: number, callId: number, body: Uint8Array): boolean {
    if (!this.isUnderWay) throw new FrameFault('out-of-place', 'the rest of no message');
    if (callId !== this.#callId || (flags & ~frameFlags.more) !== 0 || body.length === 0) {
      throw new FrameFault('out-of-place', 'the rest of another message');
    }
    this.#add(flags, body);
    return (flags & frameFlags.more) === 0;
  }

  take(): { type: number; flags: number; callId: number; body: Uint8Array } {
    const body = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      body.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    return { type: this.#type, flags: this.#flags, callId: this.#callId, body };
  }

  #add(flags: number, body: Uint8Array): void {
    if ((flags & frameFlags.more) !== 0 && body.length < partBytesMin) {
      throw new FrameFault('bad-frame', `a long message in parts of ${body.length} bytes`);
    }
    this.#bytes += body.length;
    if (this.#bytes > this.#messageBytesMax) {
      const message = `a message above ${this.#messageBytesMax} bytes`;
      throw new FrameFault('too-large', message);
    }
    this.#parts.push(body);
  }
}
