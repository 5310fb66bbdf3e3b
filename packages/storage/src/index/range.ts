import { prefixEnd } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { IndexInfo } from '../contract/catalog.ts';
import type { IndexRange } from '../contract/transaction.ts';
import type { EntryEncoder } from './entries.ts';

export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

/** The key interval of an index range. Tuples are prefix-free, so each value covers one interval. */
export function keyRangeOf(encoder: EntryEncoder, range: IndexRange): KeyRange {
  checkRange(encoder.index, range);
  const { equal, lower, upper } = range;
  const whole = encoder.prefix(equal);
  const gte = lower === undefined ? whole : encoder.prefix([...equal, lower.value]);
  const lt = upper === undefined ? whole : encoder.prefix([...equal, upper.value]);
  return {
    gte: lower !== undefined && !lower.inclusive ? prefixEnd(gte)! : gte,
    lt: upper === undefined || upper.inclusive ? prefixEnd(lt)! : lt,
  };
}

function checkRange(index: IndexInfo, { equal, lower, upper }: IndexRange): void {
  const fields = equal.length + (lower !== undefined || upper !== undefined ? 1 : 0);
  if (fields <= index.paths.length) return;
  throw themisError('BAD_REQUEST', {
    message: `the range names ${fields} fields; index "${index.name}" has ${index.paths.length}`,
  });
}
