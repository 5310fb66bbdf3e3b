import { isThemisError } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';

export function unknownOutcome(cause: Error): Error {
  const committed = isThemisError(cause) ? cause.details['committed'] : undefined;
  return themisError('UNKNOWN_OUTCOME', {
    message: `the node that was to do it did not answer (${cause.message}): the request may have been done, in part or whole`,
    ...(committed === undefined ? {} : { details: { committed } }),
    cause,
  });
}
