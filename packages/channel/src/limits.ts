import { assert } from '@themisdb/base';

/** Limits of one channel. Each side has its own; what goes to the other side keeps to the lower one. */
export interface ChannelLimits {
  /** Body of one frame. Longer messages go in several. Default 1 MiB. */
  readonly frameBytesMax: number;
  /** One request, answer, message or chunk. Default 64 MiB. */
  readonly messageBytesMax: number;
  /** What the other side may send of one stream before it is read. Default 256 KiB. */
  readonly windowBytes: number;
  /** Calls under way in one direction. Default 1,024. */
  readonly callsMax: number;
  /** One-way messages are dropped while more bytes than this wait to be sent. Default 8 MiB. */
  readonly messagesBytesMax: number;
  /**
   * New calls are refused, in both directions, while more bytes than this wait to be sent, and from the
   * other side while requests of more bytes are being served. At twice as much plus a message the other
   * side is taken for one that does not read, and dropped. Default 64 MiB.
   */
  readonly bufferedBytesMax: number;
  /** The other side must have said hello by then. Default 5,000. */
  readonly helloTimeoutMs: number;
  /** A silent other side is asked for a sign of life, and given up within this time. Default 4,000. */
  readonly deadAfterMs: number;
}

const KIB = 1024;

export const defaultLimits: ChannelLimits = {
  frameBytesMax: 1024 * KIB,
  messageBytesMax: 64 * 1024 * KIB,
  windowBytes: 256 * KIB,
  callsMax: 1024,
  messagesBytesMax: 8 * 1024 * KIB,
  bufferedBytesMax: 64 * 1024 * KIB,
  helloTimeoutMs: 5_000,
  deadAfterMs: 4_000,
};

export function makeLimits(given: Partial<ChannelLimits> = {}): ChannelLimits {
  const limits = { ...defaultLimits, ...given };
  for (const [name, value] of Object.entries(limits) as [string, number][]) {
    assert(Number.isInteger(value) && value > 0 && value < 2 ** 31, () => `${name}: ${value}`);
  }
  assert(limits.frameBytesMax >= 1024, 'frameBytesMax is below 1,024');
  assert(limits.messageBytesMax >= limits.frameBytesMax, 'a message is shorter than a frame');
  return limits;
}
