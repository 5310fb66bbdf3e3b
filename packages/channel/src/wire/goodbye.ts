import { utf8Encode } from '@themisdb/base';
import { goodbyeReasons, type GoodbyeReason } from './faults.ts';

const textBytesMax = 1_000;
const lenient: TextDecoder = new TextDecoder();

export interface Goodbye {
  /** A known reason, or `unknown-<number>`. */
  readonly reason: string;
  readonly text: string;
}

/** u8 reason, UTF-8 text for a log. */
export function encodeGoodbye(reason: GoodbyeReason, text: string): Uint8Array {
  const encoded = utf8Encode(text).subarray(0, textBytesMax);
  const out = new Uint8Array(1 + encoded.length);
  out[0] = goodbyeReasons[reason];
  out.set(encoded, 1);
  return out;
}

/** Takes anything: this is the last word of a side that may be of another version. */
export function decodeGoodbye(body: Uint8Array): Goodbye {
  const number = body[0] ?? 255;
  const known = Object.entries(goodbyeReasons).find(([, value]) => value === number);
  const text = lenient.decode(body.subarray(1, 1 + textBytesMax));
  return { reason: known?.[0] ?? `unknown-${number}`, text: text.replaceAll(/\p{Cc}/gu, ' ') };
}
