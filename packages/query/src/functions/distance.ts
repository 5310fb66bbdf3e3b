import { isArray, type Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import type { AqlFunction } from './contract.ts';
import { define, define2, finite, warned, wrongType } from './define.ts';

type Context = EvaluationContext;
type Measure = (a: readonly number[], b: readonly number[]) => number;

/** Of two vectors, or of each row of a matrix and a vector. */
function vectorFunction(name: string, summary: string, measure: Measure): AqlFunction {
  return define2(`${name}(first, second) → number`, summary, (first, second, context) => {
    if (!isArray(first) || !isArray(second) || first.length === 0 || second.length === 0) {
      return wrongType(context, name);
    }
    if (isArray(first[0])) return ofRows(first, second, context);
    return isArray(second[0]) ? ofRows(second, first, context) : ofVectors(first, second, context);
  });

  function ofVectors(a: readonly Value[], b: readonly Value[], context: Context): Value {
    if (a.length !== b.length || !areNumbers(a) || !areNumbers(b)) return wrongType(context, name);
    const result = measure(a, b);
    if (!Number.isNaN(result)) return finite(result);
    return warned(context, name, 'AQL_INVALID_ARITHMETIC', 'a vector has no length.');
  }

  function ofRows(matrix: readonly Value[], vector: readonly Value[], context: Context): Value {
    const out: Value[] = [];
    for (const row of matrix) {
      const result = isArray(row) ? ofVectors(row, vector, context) : wrongType(context, name);
      if (result === null) return null;
      out.push(result);
    }
    return out;
  }
}

function areNumbers(list: readonly Value[]): list is readonly number[] {
  return list.every((item) => typeof item === 'number');
}

function cosine(a: readonly number[], b: readonly number[]): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squaresA += a[i]! * a[i]!;
    squaresB += b[i]! * b[i]!;
  }
  // NaN when a vector has length 0.
  return Math.max(-1, Math.min(1, product / (Math.sqrt(squaresA) * Math.sqrt(squaresB))));
}

interface Decay {
  readonly origin: number;
  readonly scale: number;
  readonly offset: number;
  readonly decay: number;
}

/** Falls from 1 at the origin to `decay` at the distance `scale` beyond `offset`. */
function decayFunction(
  name: string,
  summary: string,
  shape: (distance: number, decay: Decay) => number,
): AqlFunction {
  return define(
    `${name}(value, origin, scale, offset, decay) → number`,
    summary,
    (values, context) => {
      const [value, ...rest] = values;
      const list = isArray(value) ? value : [value!];
      if (!areNumbers(rest) || !areNumbers(list)) return wrongType(context, name);
      const [origin, scale, offset, decay] = rest as unknown as [number, number, number, number];
      if (scale <= 0 || offset < 0 || decay <= 0 || decay >= 1) {
        return warned(
          context,
          name,
          'AQL_NUMBER_OUT_OF_RANGE',
          'scale, offset or decay out of range.',
        );
      }
      const parameters = { origin, scale, offset, decay };
      const results = list.map((item) =>
        finite(shape(Math.max(0, Math.abs(item - origin) - offset), parameters)),
      );
      return isArray(value) ? results : results[0]!;
    },
  );
}

export const distanceFunctions: readonly AqlFunction[] = [
  vectorFunction('COSINE_SIMILARITY', 'The cosine of the angle between two vectors.', cosine),
  vectorFunction('L1_DISTANCE', 'The sum of the differences of two vectors.', (a, b) =>
    a.reduce((total, item, i) => total + Math.abs(item - b[i]!), 0),
  ),
  vectorFunction('L2_DISTANCE', 'The Euclidean distance of two vectors.', (a, b) =>
    Math.sqrt(a.reduce((total, item, i) => total + (item - b[i]!) ** 2, 0)),
  ),
  decayFunction('DECAY_GAUSS', 'How near to the origin, along a bell curve.', (distance, p) =>
    Math.exp((distance * distance * Math.log(p.decay)) / (p.scale * p.scale)),
  ),
  decayFunction('DECAY_EXP', 'How near to the origin, falling exponentially.', (distance, p) =>
    Math.exp((Math.log(p.decay) / p.scale) * distance),
  ),
  decayFunction('DECAY_LINEAR', 'How near to the origin, along a straight line.', (distance, p) => {
    const zero = p.scale / (1 - p.decay);
    return Math.max(0, (zero - distance) / zero);
  }),
];
