import { objectFrom, utf8Encode, type ValueObject } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { RememberedAnswer, Timestamp } from '../contract/transaction.ts';
import { openValue, sealValue } from '../catalog/catalog-codec.ts';
import { formatTimestamp, msOfTimestamp, timestampOfMs, tryTimestamp } from '../timestamp.ts';

/** Bytes of an idempotency key. */
export const answerKeyBytesMax = 1024;

export function answerName(key: string): Uint8Array {
  const name = utf8Encode(key);
  if (name.length > 0 && name.length <= answerKeyBytesMax) return name;
  throw themisError('INVALID_FIELD', {
    message: `an idempotency key must have 1 to ${answerKeyBytesMax} bytes; given were ${name.length}`,
  });
}

export interface StoredAnswer extends RememberedAnswer {
  readonly timestamp: Timestamp;
  readonly expires: Timestamp;
}

export function encodeAnswer(answer: StoredAnswer): Uint8Array {
  const { fingerprint, body, timestamp, expires } = answer;
  const version = formatTimestamp(timestamp);
  return sealValue(objectFrom({ fingerprint, body, version, expiresMs: msOfTimestamp(expires) }));
}

export function decodeAnswer(bytes: Uint8Array): StoredAnswer {
  const stored = openValue(bytes, 'a remembered answer') as ValueObject;
  return {
    fingerprint: stored['fingerprint'] as string,
    body: stored['body']!,
    timestamp: tryTimestamp(stored['version'] as string)!,
    expires: timestampOfMs(stored['expiresMs'] as number),
  };
}
