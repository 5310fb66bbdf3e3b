import { themisError } from '@themisdb/protocol';
import type { ReadMode } from '@themisdb/replication';
import { tryTimestamp } from '@themisdb/storage';

const strong: ReadMode = { type: 'strong' };
const boundedDefaultMs = 5000;
const boundedMax = 86_400_000;

export const consistencyLevels =
  'strong, bounded, bounded=<milliseconds>, eventual, at-least=<X-Themis-Token>';

/**
 * How fresh a read wants to be, as the header X-Themis-Consistency and the option `consistency` say.
 * Undefined is `strong`. BAD_REQUEST or INVALID_FIELD, which name what is allowed.
 */
export function readModeOf(text: string | undefined, source: 'header' | 'body'): ReadMode {
  if (text === undefined || text === 'strong') return strong;
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
