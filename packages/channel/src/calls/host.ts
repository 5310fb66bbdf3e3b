import type { PeerIdentity } from '../contract.ts';
import type { Deadlines } from '../deadlines.ts';
import type { ChannelLimits } from '../limits.ts';

/** What a call under way needs of the channel it belongs to. */
export interface CallHost {
  readonly peer: PeerIdentity;
  readonly limits: ChannelLimits;
  /** What the other side allows of one stream at a time. */
  readonly peerWindowBytes: number;
  readonly deadlines: Deadlines;
  nowMs(): number;
  send(
    type: number,
    flags: number,
    callId: number,
    operation: number,
    value: number,
    body: Uint8Array,
  ): void;
  /** Throws `BODY_TOO_LARGE` for what the other side does not take. */
  checkSize(operation: string, body: Uint8Array): void;
  /** The last frame of the call has come, or gone: its id is free. */
  over(callId: number): void;
  /** A handler failed by a defect. */
  defect(operation: string, error: unknown): void;
}
