import type { ChannelLimits } from '@themisdb/channel';
import type { ServerConfig } from '../config/server-config.ts';

const longMs = 3_600_000;

/**
 * Of both threads: no request is refused for which a connection was open, and a thread that is busy, or
 * still loads its modules, is not dead.
 */
export function limitsFor({ limits }: ServerConfig): Partial<ChannelLimits> {
  const callsMax = Math.max(1024, limits.connectionsMax);
  return { callsMax, helloTimeoutMs: longMs, deadAfterMs: longMs };
}
