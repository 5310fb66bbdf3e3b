import { InvariantError } from '@themisdb/base';

const causesMax = 20;

/** The broken invariant behind an error, however it was wrapped; undefined for every other error. */
export function brokenInvariant(error: unknown): InvariantError | undefined {
  let at = error;
  for (let i = 0; i < causesMax && at instanceof Error; i++) {
    if (at instanceof InvariantError) return at;
    at = at.cause;
  }
  return undefined;
}
