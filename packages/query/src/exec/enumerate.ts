import { isArray, typeRank, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { rangeBounds } from '../expression/range.ts';
import type { Evaluate, EvaluationContext } from '../expression/contract.ts';
import type { Batch, Batches, Operator, Row, Run } from './operator.ts';

/** FOR over a value that must be an array: AQL_ARRAY_EXPECTED otherwise. */
export function makeEnumerate(nodeId: number, register: number, list: Evaluate): Operator {
  const items = (row: Row, context: EvaluationContext): Items => {
    const value = list(row, context);
    if (isArray(value)) return { length: value.length, at: (i) => value[i]! };
    throw arrayExpected(value);
  };
  return { nodeId, open: (input, run) => enumerateRows(input, register, items, run) };
}

/** FOR over `from..to`, which never stands in memory as an array. */
export function makeRangeEnumerate(
  nodeId: number,
  register: number,
  from: Evaluate,
  to: Evaluate,
): Operator {
  const items = (row: Row, context: EvaluationContext): Items => {
    const bounds = rangeBounds(from(row, context), to(row, context));
    const step = bounds.from <= bounds.to ? 1 : -1;
    return {
      length: Math.abs(bounds.to - bounds.from) + 1,
      at: (i) => bounds.from + i * step,
    };
  };
  return { nodeId, open: (input, run) => enumerateRows(input, register, items, run) };
}

interface Items {
  readonly length: number;
  at(index: number): Value;
}

// Batches grow: a following LIMIT may need few rows only.
const firstBatchRows = 64;

async function* enumerateRows(
  input: Batches,
  register: number,
  items: (row: Row, context: EvaluationContext) => Items,
  run: Run,
): Batches {
  let out: Batch = [];
  let wanted = Math.min(firstBatchRows, run.batchRows);
  for await (const batch of input) {
    for (const outer of batch) {
      const { length, at } = items(outer, run.context);
      for (let i = 0; i < length; i++) {
        const row = outer.slice();
        row[register] = at(i);
        out.push(row);
        if (out.length < wanted) continue;
        if (run.checkpoint()) await run.pause();
        yield out;
        out = [];
        wanted = Math.min(wanted * 2, run.batchRows);
      }
    }
  }
  if (out.length > 0) yield out;
}

const typeNames = ['null', 'bool', 'number', 'string', 'array', 'object'] as const;

function arrayExpected(value: Value): Error {
  const type = typeNames[typeRank(value)]!;
  return themisError('AQL_ARRAY_EXPECTED', {
    message: `FOR wants a collection or an array, but was given a value of type ${type}.`,
    details: { type },
  });
}
