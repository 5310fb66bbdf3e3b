import { toNumber } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { define, define1, define2, finite, perRun } from './define.ts';

/** A function of one number; what is no finite number becomes null, without a warning. */
function math(name: string, summary: string, calculate: (value: number) => number): AqlFunction {
  return define1(`${name}(value) → number`, summary, (value) => finite(calculate(toNumber(value))));
}

export const numericFunctions: readonly AqlFunction[] = [
  math('ABS', 'The value without its sign.', Math.abs),
  math('CEIL', 'The nearest integer that is not smaller.', Math.ceil),
  math('FLOOR', 'The nearest integer that is not greater.', Math.floor),
  math('ROUND', 'The nearest integer; halves go up.', (value) => Math.floor(value + 0.5)),
  math('SQRT', 'The square root.', Math.sqrt),
  define2('POW(base, exponent) → number', 'The power.', (base, exponent) =>
    finite(toNumber(base) ** toNumber(exponent)),
  ),
  math('EXP', 'e to the power of the value.', Math.exp),
  math('EXP2', '2 to the power of the value.', (value) => 2 ** value),
  math('LOG', 'The natural logarithm.', Math.log),
  math('LOG2', 'The logarithm to base 2.', Math.log2),
  math('LOG10', 'The logarithm to base 10.', Math.log10),
  math('SIN', 'The sine of an angle in radians.', Math.sin),
  math('COS', 'The cosine of an angle in radians.', Math.cos),
  math('TAN', 'The tangent of an angle in radians.', Math.tan),
  math('ASIN', 'The arcsine, in radians.', Math.asin),
  math('ACOS', 'The arccosine, in radians.', Math.acos),
  math('ATAN', 'The arctangent, in radians.', Math.atan),
  define2('ATAN2(y, x) → number', 'The angle of the point (x, y), in radians.', (y, x) =>
    finite(Math.atan2(toNumber(y), toNumber(x))),
  ),
  math('DEGREES', 'Radians as degrees.', (value) => value * (180 / Math.PI)),
  math('RADIANS', 'Degrees as radians.', (value) => value * (Math.PI / 180)),
  define('PI() → number', 'The number π.', () => Math.PI),
  perRun(
    define('RAND() → number', 'A random number from 0 up to, but not including, 1.', (_, context) =>
      context.random(),
    ),
  ),
];
