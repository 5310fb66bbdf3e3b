import { compareValues, isArray, type Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import type { AqlFunction } from './contract.ts';
import { alias, arrayExpected, define, define1, finite, warned, wrongType } from './define.ts';

type Context = EvaluationContext;

/** A function of an array; anything else warns and gives null. */
function overArray(
  name: string,
  summary: string,
  calculate: (list: readonly Value[], context: Context) => Value,
): AqlFunction {
  return define1(`${name}(array) → number`, summary, (list, context) =>
    isArray(list) ? calculate(list, context) : arrayExpected(context, name),
  );
}

/** The numbers of a list without its nulls, or undefined when it holds anything else. */
function numbersOf(list: readonly Value[]): number[] | undefined {
  const out: number[] = [];
  for (const item of list) {
    if (item === null) continue;
    if (typeof item !== 'number') return undefined;
    out.push(item);
  }
  return out;
}

function notANumber(context: Context, name: string): null {
  return warned(
    context,
    name,
    'AQL_INVALID_ARITHMETIC',
    'the array holds something else than numbers.',
  );
}

function extreme(list: readonly Value[], sign: 1 | -1): Value {
  let best: Value = null;
  for (const item of list) {
    if (item !== null && (best === null || compareValues(item, best) * sign > 0)) best = item;
  }
  return best;
}

/** Sum of squared distances from the mean (Welford 1962). */
function squaredDistances(numbers: readonly number[]): number {
  let mean = 0;
  let sum = 0;
  numbers.forEach((number, i) => {
    const delta = number - mean;
    mean += delta / (i + 1);
    sum += delta * (number - mean);
  });
  return sum;
}

interface Spread {
  readonly sample: boolean;
  readonly root: boolean;
}

function spread(name: string, summary: string, how: Spread): AqlFunction {
  return overArray(name, summary, (list, context) => {
    const numbers = numbersOf(list);
    if (numbers === undefined) return notANumber(context, name);
    const divisor = numbers.length - (how.sample ? 1 : 0);
    if (divisor < 1) return null;
    const variance = squaredDistances(numbers) / divisor;
    return finite(how.root ? Math.sqrt(variance) : variance);
  });
}

function median(list: readonly Value[], context: Context): Value {
  const numbers = numbersOf(list)?.sort((a, b) => a - b);
  if (numbers === undefined) return notANumber(context, 'MEDIAN');
  if (numbers.length === 0) return null;
  const middle = numbers.length >> 1;
  if (numbers.length % 2 === 1) return numbers[middle]!;
  return finite((numbers[middle - 1]! + numbers[middle]!) / 2);
}

/** As ArangoDB from 3.12.6 on, after the NIST handbook ("Percentiles"). */
function percentile(values: readonly Value[], context: Context): Value {
  const [list, p, method] = values;
  if (!isArray(list)) return arrayExpected(context, 'PERCENTILE');
  if (typeof p !== 'number' || p < 0 || p > 100) {
    return wrongType(context, 'PERCENTILE', 'the percentile must be a number from 0 to 100.');
  }
  if (method !== undefined && method !== 'rank' && method !== 'interpolation') {
    return wrongType(context, 'PERCENTILE', 'the method must be "rank" or "interpolation".');
  }
  const numbers = numbersOf(list)?.sort((a, b) => a - b);
  if (numbers === undefined) return notANumber(context, 'PERCENTILE');
  if (numbers.length === 0) return null;
  return method === 'interpolation' ? interpolated(numbers, p) : ranked(numbers, p);
}

function ranked(sorted: readonly number[], p: number): number {
  const rank = Math.ceil((p * sorted.length) / 100);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]!;
}

function interpolated(sorted: readonly number[], p: number): Value {
  const index = (p * (sorted.length + 1)) / 100;
  const rank = Math.floor(index);
  if (rank >= sorted.length) return sorted.at(-1)!;
  if (rank <= 0) return sorted[0]!;
  const below = sorted[rank - 1]!;
  return finite(below + (index - rank) * (sorted[rank]! - below));
}

const average = overArray('AVERAGE', 'The mean of the numbers, null left out.', (list, context) => {
  const numbers = numbersOf(list);
  if (numbers === undefined) return arrayExpected(context, 'AVERAGE');
  return numbers.length === 0 ? null : finite(sum(numbers) / numbers.length);
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

const variancePopulation = spread('VARIANCE_POPULATION', 'The variance of all values.', {
  sample: false,
  root: false,
});
const deviationPopulation = spread('STDDEV_POPULATION', 'The standard deviation of all values.', {
  sample: false,
  root: true,
});

export const statisticsFunctions: readonly AqlFunction[] = [
  overArray('SUM', 'The sum of the numbers, null left out.', (list) => {
    const numbers = numbersOf(list);
    return numbers === undefined ? null : finite(sum(numbers));
  }),
  overArray('PRODUCT', 'The product of the numbers, null left out.', (list) => {
    const numbers = numbersOf(list);
    return numbers === undefined ? null : finite(numbers.reduce((a, b) => a * b, 1));
  }),
  average,
  alias('AVG', average),
  overArray('MIN', 'The smallest value, null left out.', (list) => extreme(list, -1)),
  overArray('MAX', 'The greatest value.', (list) => extreme(list, 1)),
  overArray('MEDIAN', 'The middle of the sorted numbers.', median),
  define(
    'PERCENTILE(array, percent, method?) → number',
    'The value below which so many percent lie, by "rank" or "interpolation".',
    percentile,
  ),
  variancePopulation,
  alias('VARIANCE', variancePopulation),
  spread('VARIANCE_SAMPLE', 'The variance estimated from a sample.', { sample: true, root: false }),
  deviationPopulation,
  alias('STDDEV', deviationPopulation),
  spread('STDDEV_SAMPLE', 'The standard deviation estimated from a sample.', {
    sample: true,
    root: true,
  }),
];
