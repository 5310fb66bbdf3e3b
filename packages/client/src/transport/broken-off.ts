import { themisError } from '@themisdb/protocol';
import type { TransportRequest } from './transport.ts';

/** What an answer that ends within its body rejects with. */
export function brokenOff({ origin, signal }: TransportRequest, cause: unknown): unknown {
  if (signal?.aborted) return signal.reason;
  return themisError('CONNECTION_FAILED', {
    message: `the connection to ${origin} broke within the answer`,
    details: { origin, sent: true },
    cause,
  });
}
