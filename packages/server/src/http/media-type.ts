import { themisError } from '@themisdb/protocol';

export const jsonType = 'application/json';
export const ndjsonType = 'application/x-ndjson';
export const eventStreamType = 'text/event-stream';
export const problemType = 'application/problem+json';
export const mergePatchType = 'application/merge-patch+json';

/** `application/json; charset=utf-8` → `application/json`; UNSUPPORTED_MEDIA_TYPE unless it is allowed. */
export function checkContentType(header: string | undefined, allowed: readonly string[]): string {
  if (header !== undefined && allowed.includes(header)) return header;
  const [type = '', ...parameters] = (header ?? '').split(';').map((p) => p.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (allowed.includes(type) && isUtf8) return type;
  throw themisError('UNSUPPORTED_MEDIA_TYPE', {
    message: `Content-Type ${header === undefined ? 'is missing' : JSON.stringify(header.slice(0, 100))}; the route reads ${allowed.join(', ')} in UTF-8`,
    details: { allowed },
  });
}

/** Bodies are taken as they are: no compression. */
export function checkContentEncoding(header: string | undefined): void {
  if (header === undefined || header.toLowerCase() === 'identity') return;
  throw themisError('UNSUPPORTED_MEDIA_TYPE', {
    message: `Content-Encoding ${JSON.stringify(header.slice(0, 100))}; bodies are read uncompressed`,
  });
}

/**
 * The first of `offered` that the Accept header takes with the highest weight (RFC 9110 §12.5.1), or
 * NOT_ACCEPTABLE. No header takes the first.
 */
export function negotiate(accept: string | undefined, offered: readonly string[]): string {
  if (accept === undefined || accept === '*/*' || accept === offered[0]) return offered[0]!;
  const ranges = accept.split(',').map(parseRange);
  let best: string | undefined;
  let bestWeight = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight > bestWeight) {
      best = type;
      bestWeight = weight;
    }
  }
  if (best !== undefined) return best;
  throw themisError('NOT_ACCEPTABLE', {
    message: `Accept ${JSON.stringify(accept.slice(0, 100))}; the route can answer ${offered.join(', ')}`,
    details: { offered },
  });
}

interface MediaRange {
  readonly type: string;
  readonly weight: number;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = Number(parameters.find((p) => p.startsWith('q='))?.slice(2) ?? 1);
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}

/** The most specific range that fits decides. */
function weightOf(type: string, ranges: readonly MediaRange[]): number {
  const wildcards = [type, `${type.split('/')[0]}/*`, '*/*'];
  for (const wanted of wildcards) {
    const range = ranges.find((candidate) => candidate.type === wanted);
    if (range !== undefined) return range.weight;
  }
  return 0;
}
