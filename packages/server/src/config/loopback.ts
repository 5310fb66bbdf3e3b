import { themisError } from '@themisdb/protocol';

/** Whether a host name or address can only mean this machine: localhost, *.localhost, 127/8, ::1. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  if (name === '::1' || name === '0:0:0:0:0:0:0:1') return true;
  const parts = name.split('.');
  return (
    parts.length === 4 &&
    parts[0] === '127' &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
  );
}

/** There is no authentication yet, so whoever reaches a port owns the data. UNSAFE_BIND. */
export function mustBeLoopback(setting: string, host: string, source?: string): void {
  if (isLoopbackHost(host)) return;
  const from = source === undefined ? '' : ` (${source})`;
  throw themisError('UNSAFE_BIND', {
    message: `${setting} ${JSON.stringify(host)}${from} is refused: without authentication the server listens on loopback only (127.0.0.1, ::1, localhost), since anyone who reaches the port could read and change everything`,
    ...(source === undefined ? {} : { details: { source } }),
  });
}
