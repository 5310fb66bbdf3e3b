import { themisError } from '@themisdb/protocol';
import type { ReadMode } from '@themisdb/replication';
import { tryTimestamp } from '@themisdb/storage';
import type { Exchange } from '../http/exchange.ts';

const strong: ReadMode = { type: 'strong' };
const strongOnly: Freshness = [strong];
const boundedDefaultMs = 5000;
const boundedMax = 86_400_000;

export const consistencyLevels =
  'strong, bounded, bounded=<milliseconds>, eventual, at-least=<X-Themis-Token>';

/** What a read waits for: all of it. Empty: for nothing. */
export type Freshness = readonly ReadMode[];

/**
 * How fresh a read wants to be: the header X-Themis-Consistency, or the option `consistency` in its place,
 * and besides it the commit of X-Themis-Token. Without any of them `strong`, which sees every commit.
 * BAD_REQUEST or INVALID_FIELD, which name what is allowed.
 */
export function freshnessOf(
  exchange: Pick<Exchange, 'header'>,
  inBody: string | undefined,
): Freshness {
  const text = inBody ?? exchange.header('x-themis-consistency');
  const token = tokenIn(exchange.header('x-themis-token'));
  if (text === undefined) return token === undefined ? strongOnly : [token];
  const level = levelOf(text, inBody === undefined ? 'header' : 'body');
  if (level.type === 'strong') return strongOnly;
  const modes = token === undefined ? [level] : [level, token];
  return modes.filter(({ type }) => type !== 'eventual');
}

function tokenIn(text: string | undefined): ReadMode | undefined {
  if (text === undefined) return undefined;
  const timestamp = /^[0-9a-f]{16}$/.test(text) ? tryTimestamp(text) : undefined;
  if (timestamp !== undefined) return { type: 'atLeast', timestamp };
  throw themisError('BAD_REQUEST', {
    message: `X-Themis-Token is ${JSON.stringify(text.slice(0, 100))}; allowed is what an answer gave in X-Themis-Token, 16 hexadecimal digits`,
    details: { header: 'X-Themis-Token' },
  });
}

function levelOf(text: string, source: 'header' | 'body'): ReadMode {
  if (text === 'strong') return strong;
  if (text === 'eventual') return { type: 'eventual' };
  const lag = /^bounded(?:=(\d{1,8}))?$/.exec(text);
  if (lag !== null) {
    const maxLagMs = lag[1] === undefined ? boundedDefaultMs : Number(lag[1]);
    if (maxLagMs <= boundedMax) return { type: 'bounded', maxLagMs };
  }
  // The second spelling is that of /v1/execute since its first version.
  const token = /^at-least=([0-9a-f]{16})$|^atLeast\(([0-9a-f]{16})\)$/.exec(text);
  const timestamp = token === null ? undefined : tryTimestamp((token[1] ?? token[2])!);
  if (timestamp !== undefined) return { type: 'atLeast', timestamp };
  throw source === 'header'
    ? themisError('BAD_REQUEST', {
        message: `X-Themis-Consistency is ${JSON.stringify(text.slice(0, 100))}; allowed: ${consistencyLevels}`,
        details: { header: 'X-Themis-Consistency' },
      })
    : themisError('INVALID_FIELD', {
        message: `body field consistency is ${JSON.stringify(text.slice(0, 100))}; allowed: ${consistencyLevels}`,
        details: { path: ['consistency'] },
      });
}
