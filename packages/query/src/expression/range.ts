import type { Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { EvaluationContext } from './contract.ts';
import { toInteger } from './convert.ts';

/** As many elements as ArangoDB materialises at most. */
export const rangeElementsMax = 10_000_000;

/** The bounds of `from..to`, as the integers they are cast to. */
export interface RangeBounds {
  readonly from: number;
  readonly to: number;
}

export function rangeBounds(from: Value, to: Value): RangeBounds {
  return { from: toInteger(from), to: toInteger(to) };
}

/** The integers of `from..to`, both included, counting down when `to` is smaller ("Range operator"). */
export function evaluateRange(
  from: Value,
  to: Value,
  context: EvaluationContext,
): readonly Value[] {
  const bounds = rangeBounds(from, to);
  const length = Math.abs(bounds.to - bounds.from) + 1;
  checkRangeLength(length, context);
  const step = bounds.to < bounds.from ? -1 : 1;
  const out: number[] = [];
  for (let i = 0; i < length; i++) {
    if ((i & 0xffff) === 0) context.checkInterrupt();
    out.push(bounds.from + i * step);
  }
  return out;
}

/** Refuses and accounts for an array of numbers before it is made. */
export function checkRangeLength(length: number, context: EvaluationContext): void {
  if (length > rangeElementsMax) {
    throw themisError('LIMIT_EXCEEDED', {
      message: `A range of ${String(length)} elements is larger than the ${String(rangeElementsMax)} allowed.`,
      details: { elements: length, limit: rangeElementsMax },
    });
  }
  context.charge(length * 8);
}
