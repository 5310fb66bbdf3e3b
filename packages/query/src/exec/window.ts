import type { Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Evaluate, EvaluationContext } from '../expression/contract.ts';
import { toInteger } from '../expression/convert.ts';
import type { AggregateCode } from './collect.ts';
import type { Accumulator } from '../functions/index.ts';
import { gather, rebatch } from './chain.ts';
import { estimateBatchBytes } from './memory.ts';
import type { Batches, Operator, Origin, Row, Run } from './operator.ts';

export interface WindowParts {
  /** Rows come sorted by this value; without it windows count rows. */
  readonly range: Evaluate | undefined;
  readonly preceding: Evaluate;
  readonly following: Evaluate;
  readonly aggregates: readonly AggregateCode[];
}

/** WINDOW: adds to each row the aggregates over the rows around it ("WINDOW operation"). */
export function makeWindow(nodeId: number, parts: WindowParts): Operator {
  return { nodeId, open: (input, run, origin) => windowRows(input, parts, run, origin) };
}

/** The rows `from` to `to` (excluded) around one row. */
interface Frame {
  readonly from: number;
  readonly to: number;
}

async function* windowRows(input: Batches, parts: WindowParts, run: Run, origin: Origin): Batches {
  const { context } = run;
  let charged = 0;
  try {
    const rows = await gather(input, (batch) => {
      const bytes = estimateBatchBytes(batch);
      charged += bytes;
      run.memory.charge(bytes);
    });
    const preceding = parts.preceding(origin.row, context);
    const following = parts.following(origin.row, context);
    const frameOf =
      parts.range === undefined
        ? rowFrames(rows.length, rowCount(preceding), rowCount(following))
        : rangeFrames(rows, parts.range, distance(preceding), distance(following), context);
    const values = parts.aggregates.map(({ value }) => rows.map((row) => value(row, context)));
    const running = new Running(parts.aggregates, values);
    for (let i = 0; i < rows.length; i++) {
      const frame = frameOf(i);
      if (frame === undefined) running.putNulls(rows[i]!);
      else running.put(rows[i]!, frame);
      if ((i & 0xff) === 0 && run.checkpoint()) await run.pause();
    }
    yield* rebatch(rows, run);
  } finally {
    run.memory.release(charged);
  }
}

/** Aggregates over frames; a frame that only grows at its end is not computed anew. */
class Running {
  readonly #aggregates: readonly AggregateCode[];
  readonly #values: readonly (readonly Value[])[];
  #accumulators: Accumulator[] = [];
  #frame: Frame = { from: -1, to: -1 };

  constructor(aggregates: readonly AggregateCode[], values: readonly (readonly Value[])[]) {
    this.#aggregates = aggregates;
    this.#values = values;
  }

  put(row: Row, frame: Frame): void {
    if (frame.from !== this.#frame.from || frame.to < this.#frame.to) {
      this.#accumulators = this.#aggregates.map(({ aggregate }) => aggregate.create());
      this.#frame = { from: frame.from, to: frame.from };
    }
    this.#aggregates.forEach(({ register }, a) => {
      const accumulator = this.#accumulators[a]!;
      const values = this.#values[a]!;
      for (let i = this.#frame.to; i < frame.to; i++) accumulator.add(values[i]!);
      row[register] = accumulator.result();
    });
    this.#frame = frame;
  }

  putNulls(row: Row): void {
    for (const { register } of this.#aggregates) row[register] = null;
  }
}

function rowFrames(length: number, before: number, after: number): (i: number) => Frame {
  return (i) => ({ from: Math.max(0, i - before), to: Math.min(length, i + after + 1) });
}

/** Rows whose value is no number have no frame, and stand in no other row's. */
function rangeFrames(
  rows: readonly Row[],
  range: Evaluate,
  before: number,
  after: number,
  context: EvaluationContext,
): (i: number) => Frame | undefined {
  const keys = rows.map((row) => {
    const value = range(row, context);
    if (typeof value === 'number') return value;
    context.warn('AQL_INVALID_ARGUMENT_TYPE', 'WINDOW over a range wants numbers.');
    return undefined;
  });
  const first = keys.findIndex((key) => key !== undefined);
  const end = keys.findLastIndex((key) => key !== undefined) + 1;
  let from = first;
  let to = first;
  return (i) => {
    const key = keys[i];
    if (key === undefined) return undefined;
    while (keys[from]! < key - before) from++;
    while (to < end && keys[to]! <= key + after) to++;
    return { from, to };
  };
}

function rowCount(value: Value): number {
  if (value === 'unbounded') return Infinity;
  if (typeof value === 'number' && value >= 0) return toInteger(value);
  throw boundsExpected();
}

function distance(value: Value): number {
  if (value === 'unbounded') return Infinity;
  if (typeof value === 'number' && value >= 0) return value;
  if (typeof value === 'string' && value.startsWith('P')) {
    throw themisError('NOT_IMPLEMENTED', {
      message: 'WINDOW by durations is not supported by this version.',
    });
  }
  throw boundsExpected();
}

function boundsExpected(): Error {
  return themisError('AQL_INVALID_ARGUMENT', {
    message: 'WINDOW wants numbers that are not negative, or "unbounded", as bounds.',
  });
}
