import { themisError } from '@themisdb/protocol';

export function closingError(): Error {
  return themisError('SHUTTING_DOWN', { message: 'the store is closing' });
}

/** The commit has had no effect. `leader` is the id of the replica that leads, where it is known. */
export function notLeading(leader: number | undefined): Error {
  const where = leader === undefined ? 'an election is under way' : `replica ${leader} leads`;
  return themisError('NOT_LEADER', {
    message: `this replica does not lead the shard: ${where}`,
    details: { leader: leader ?? null },
  });
}

/** The commit may have had an effect, or may still have one. */
export function unknownOutcome(why = 'this replica lost the leadership'): Error {
  return themisError('UNKNOWN_OUTCOME', {
    message: `${why} before it knew what became of the commit`,
  });
}
