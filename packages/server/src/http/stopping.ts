import { themisError, type Problem } from '@themisdb/protocol';

const details = { started: false } as const;

/** For a request that comes when the server has begun to stop. */
export function refusedAtTheDoor(): Error {
  return themisError('SHUTTING_DOWN', {
    message: 'the server is stopping',
    details,
    retryAfterMs: 1000,
  });
}

/** Whether the request was not begun; one the stop interrupted may have been done in part. */
export function wasRefusedAtTheDoor({ error }: Problem): boolean {
  return error.code === 'SHUTTING_DOWN' && error.details?.['started'] === details.started;
}
