import type { Session } from './session.ts';

/** A part of what a run's clients do, and the check of what they saw. */
export interface Workload {
  readonly collections: readonly string[];
  /** Operations done. */
  readonly size: number;
  /** One client; ends when the session does not go on. */
  run(session: Session): Promise<void>;
  /** One more client, beside those drawn. */
  watchLeaders?(session: Session): Promise<void>;
  /** After the end, when everything is healed; may ask the group once more. */
  check(session: Session): Promise<void>;
}
