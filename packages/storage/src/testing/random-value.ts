import { makeObject, type Prng, type Value } from '@themisdb/base';

const names = [
  'a',
  'b',
  '_key',
  '__proto__',
  'constructor',
  '0',
  '17',
  'ä',
  '🙂',
  'x.y',
  '',
  'a'.repeat(70),
];
const numbers = [
  0,
  -0,
  1,
  -1,
  127,
  128,
  255,
  256,
  65535,
  65536,
  -32,
  -33,
  -128,
  -129,
  -32768,
  -32769,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  2 ** 53,
  2 ** 64,
  0.1,
  -1.5,
  1e300,
  5e-324,
  Number.MAX_VALUE,
];
const lengths = [0, 1, 7, 8, 15, 16, 31, 32, 33, 48, 55, 56, 57, 100, 255, 256, 70_000];

/** Any value the engine can hold, awkward ones often. */
export function randomValue(prng: Prng, depth = 0): Value {
  const kind = prng.below(depth > 4 ? 5 : 7);
  if (kind === 0) return null;
  if (kind === 1) return prng.chance(0.5);
  if (kind === 2) return prng.pick(numbers);
  if (kind === 3) return prng.below(2 ** 31) * prng.float();
  if (kind === 4) return randomText(prng);
  const count = prng.chance(0.05) ? prng.between(15, 40) : prng.below(5);
  if (kind === 5) return Array.from({ length: count }, () => randomValue(prng, depth + 1));
  return randomObject(prng, count, depth + 1);
}

export function randomObject(prng: Prng, count: number, depth = 1): Value & object {
  const out = makeObject();
  for (let i = 0; i < count; i++) {
    out[prng.chance(0.8) ? prng.pick(names) : `n${i}`] = randomValue(prng, depth);
  }
  return out;
}

export function randomText(prng: Prng): string {
  const length = prng.chance(0.02) ? 70_000 : prng.pick(lengths.slice(0, -1));
  const alphabet = prng.chance(0.7) ? 'abcXYZ 09' : 'aäß€🙂中';
  const letters = [...alphabet];
  return Array.from({ length }, () => prng.pick(letters)).join('');
}
