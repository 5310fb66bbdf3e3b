import type { ThemisError } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';

/** Why a side gives a connection up, as it travels in `goodbye`. Numbers are never reused. */
export const goodbyeReasons = {
  /** Orderly close. */
  closing: 0,
  /** Bytes that are no frame, or a frame whose body is malformed. */
  'bad-frame': 1,
  /** A frame or message above the limit. */
  'too-large': 2,
  /** No protocol version in common. */
  version: 3,
  'wrong-cluster': 4,
  /** Another node answers at this address than was expected. */
  'wrong-node': 5,
  /** A well-formed frame that does not fit the state of the connection. */
  'out-of-place': 6,
  'hello-timeout': 7,
  /** The other side does not read. */
  'slow-peer': 8,
  /** Kept for authentication. */
  denied: 9,
} as const;

export type GoodbyeReason = keyof typeof goodbyeReasons;

/** Thrown inside the package by whatever reads frames; it ends the connection, never the process. */
export class FrameFault extends Error {
  override readonly name = 'FrameFault';
  readonly reason: GoodbyeReason;

  constructor(reason: GoodbyeReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** `by` says which side noticed. */
export function protocolError(reason: string, message: string, by: 'us' | 'peer'): ThemisError {
  return themisError('PROTOCOL_ERROR', { message, details: { reason, by } });
}
