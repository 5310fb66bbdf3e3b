import type { Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Evaluate, EvaluationContext } from '../expression/contract.ts';
import { toInteger } from '../expression/convert.ts';
import type { AggregateCode } from './collect.ts';
import { functionTable, type Accumulator } from '../functions/index.ts';
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
        : rangeFrames(rows, parts.range, reachOf(preceding, following), context);
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

/** Where a row stands, and how far its window reaches, on one scale. */
interface Place {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** Rows that have no place have no window, and stand in no other row's. */
function rangeFrames(
  rows: readonly Row[],
  range: Evaluate,
  reach: Reach,
  context: EvaluationContext,
): (i: number) => Frame | undefined {
  const places = rows.map((row) => reach(range(row, context), context));
  const first = places.findIndex((place) => place !== undefined);
  const end = places.findLastIndex((place) => place !== undefined) + 1;
  let from = first;
  let to = first;
  return (i) => {
    const place = places[i];
    if (place === undefined) return undefined;
    while (isBefore(places[from], place.from)) from++;
    while (to < end && !isAfter(places[to], place.to)) to++;
    return { from, to };
  };
}

function isBefore(place: Place | undefined, limit: number): boolean {
  return place === undefined || place.at < limit;
}

function isAfter(place: Place | undefined, limit: number): boolean {
  return place !== undefined && place.at > limit;
}

type Reach = (value: Value, context: EvaluationContext) => Place | undefined;

/** Windows by distance are measured in numbers, or in time where a bound is an ISO duration. */
function reachOf(preceding: Value, following: Value): Reach {
  if (isDuration(preceding) || isDuration(following)) {
    return (value, context) => placeInTime(value, preceding, following, context);
  }
  const before = distance(preceding);
  const after = distance(following);
  return (value, context) => {
    if (typeof value === 'number') return { at: value, from: value - before, to: value + after };
    context.warn('AQL_INVALID_ARGUMENT_TYPE', 'WINDOW over a range wants numbers.');
    return undefined;
  };
}

function isDuration(value: Value): value is string {
  return typeof value === 'string' && value.startsWith('P');
}

function placeInTime(
  value: Value,
  preceding: Value,
  following: Value,
  context: EvaluationContext,
): Place | undefined {
  const at = timestamp(value, context);
  if (at === undefined) return undefined;
  const from = moved('DATE_SUBTRACT', value, preceding, -Infinity, context);
  const to = moved('DATE_ADD', value, following, Infinity, context);
  return from === undefined || to === undefined ? undefined : { at, from, to };
}

function moved(
  name: 'DATE_ADD' | 'DATE_SUBTRACT',
  date: Value,
  by: Value,
  unbounded: number,
  context: EvaluationContext,
): number | undefined {
  if (by === 'unbounded') return unbounded;
  if (by === 0) return timestamp(date, context);
  if (!isDuration(by)) throw boundsExpected();
  return timestamp(functionTable.get(name)!.call([date, by], context), context);
}

function timestamp(date: Value, context: EvaluationContext): number | undefined {
  const value = functionTable.get('DATE_TIMESTAMP')!.call([date], context);
  return typeof value === 'number' ? value : undefined;
}

function rowCount(value: Value): number {
  if (value === 'unbounded') return Infinity;
  if (typeof value === 'number' && value >= 0) return toInteger(value);
  throw boundsExpected();
}

function distance(value: Value): number {
  if (value === 'unbounded') return Infinity;
  if (typeof value === 'number' && value >= 0) return value;
  throw boundsExpected();
}

function boundsExpected(): Error {
  return themisError('AQL_INVALID_ARGUMENT', {
    message:
      'WINDOW wants numbers that are not negative, ISO durations (over a range of dates), or "unbounded", as bounds.',
  });
}
