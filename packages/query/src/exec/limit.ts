import { themisError } from '@themisdb/protocol';
import type { Value } from '@themisdb/base';
import type { Evaluate, EvaluationContext } from '../expression/contract.ts';
import type { Batches, Operator, Origin, Run } from './operator.ts';

export interface LimitParts {
  readonly offset: Evaluate | undefined;
  readonly count: Evaluate;
  /** Count all rows, also those past the limit. */
  readonly fullCount: boolean;
}

/** LIMIT: skips `offset` rows, lets `count` pass and then closes its input. */
export function makeLimit(nodeId: number, parts: LimitParts): Operator {
  return { nodeId, open: (input, run, origin) => limitRows(input, parts, run, origin) };
}

async function* limitRows(input: Batches, parts: LimitParts, run: Run, origin: Origin): Batches {
  const offset = parts.offset === undefined ? 0 : limitValue(parts.offset, origin, run.context);
  const end = offset + limitValue(parts.count, origin, run.context);
  let position = 0;
  if (end > offset || parts.fullCount) {
    for await (const batch of input) {
      const start = Math.max(0, offset - position);
      const stop = Math.min(batch.length, end - position);
      position += batch.length;
      if (start < stop) {
        yield start === 0 && stop === batch.length ? batch : batch.slice(start, stop);
      }
      if (position >= end && !parts.fullCount) break;
    }
  } else await input.return?.();
  if (parts.fullCount) run.counters.fullCount = position;
}

function limitValue(value: Evaluate, origin: Origin, context: EvaluationContext): number {
  return asLimit(value(origin.row, context));
}

export function asLimit(value: Value): number {
  if (typeof value === 'number' && value >= 0) return Math.trunc(value);
  throw themisError('AQL_NUMBER_OUT_OF_RANGE', {
    message: 'LIMIT wants numbers that are not negative.',
  });
}
