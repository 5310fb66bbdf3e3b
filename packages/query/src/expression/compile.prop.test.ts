import { isThemisError, Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { randomValue } from './random-value.ts';
import { evaluate, evaluateLate, type Evaluated, type Surroundings } from './testing.ts';

// Strategy: random expressions over random variables are compiled twice, as written (constants
// evaluated and specialised for) and with every literal hidden in a variable (the generic paths).
// Both must give the same value and the same warnings.

const seed = 3;

const operators = [
  ...'== != < <= > >= + - * / % && || IN LIKE'.split(' '),
  'NOT IN',
  'NOT LIKE',
  'ALL ==',
  'ANY <',
  'NONE IN',
  'AT LEAST (1) >=',
];

function randomText(prng: Prng, depth: number): string {
  if (depth === 0 || prng.chance(0.2)) return randomLeaf(prng);
  const part = (): string => randomText(prng, depth - 1);
  switch (prng.below(12)) {
    case 0:
      return `(${prng.pick(['!', '-', '+'])}${part()})`;
    case 1:
      return `(${part()} ? ${part()} : ${part()})`;
    case 2:
      return `(${part()} ?: ${part()})`;
    case 3:
      return `[${part()}, ${part()}]`;
    case 4:
      return `{a: ${part()}, [${part()}]: ${part()}}`;
    case 5:
      return `(${part()})[${part()}]`;
    case 6:
      return `(${part()}).a.b`;
    case 7:
      return `(${part()})[* FILTER CURRENT ${prng.pick(['==', '<', '!='])} ${part()}].a`;
    case 8:
      return `${prng.pick(['LENGTH', 'TO_STRING', 'TO_NUMBER', 'TO_ARRAY', 'REVERSE'])}(${part()})`;
    default:
      return `(${part()} ${prng.pick(operators)} ${part()})`;
  }
}

function randomLeaf(prng: Prng): string {
  if (prng.chance(0.5)) return prng.pick(['x', 'y', 'x.a', 'y.a.b', 'x[0]', 'y._key']);
  return JSON.stringify(randomValue(prng, 2));
}

function outcome(run: () => Evaluated): Evaluated | string {
  try {
    return run();
  } catch (error) {
    if (isThemisError(error)) return error.code;
    throw error;
  }
}

test(`what is known while compiling changes nothing, seed ${String(seed)}`, () => {
  const prng = new Prng(seed);
  let warned = 0;
  for (let i = 0; i < 1_500; i++) {
    const text = randomText(prng, 3);
    const around: Surroundings = {
      variables: { x: randomValue(prng, 3), y: randomValue(prng, 3) },
    };
    const early = outcome(() => evaluate(text, around));
    const late = outcome(() => evaluateLate(text, around));
    expect(early, text).toEqual(late);
    if (typeof early === 'object' && early.warnings.length > 0) warned++;
  }
  expect(warned).toBeGreaterThan(10);
});
