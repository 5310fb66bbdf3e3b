import type { ThemisError } from '@themisdb/base';
import type { GoodbyeReason } from '../wire/faults.ts';

/**
 * What carries frames between two channel ends after the hello. Frames of one call and direction keep
 * their order. `operation` and `value` mean something for some types only (wire/frame.ts); `value` is a
 * deadline or a credit.
 */
export interface FrameLink {
  send(
    type: number,
    flags: number,
    callId: number,
    operation: number,
    value: number,
    body: Uint8Array,
  ): void;
  /** Bytes waiting to be sent. */
  readonly bufferedBytes: number;
  /** Says goodbye with the reason, then closes; `closed` follows on a later turn. */
  close(reason: GoodbyeReason, text: string): void;
}

/** What a link delivers to. `frame` may throw `FrameFault`: the link then closes with its reason. */
export interface FrameSink {
  frame(
    type: number,
    flags: number,
    callId: number,
    operation: number,
    value: number,
    body: Uint8Array,
  ): void;
  /** Once, last. */
  closed(error: ThemisError | undefined): void;
}
