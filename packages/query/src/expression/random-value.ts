import { makeObject, type Prng, type Value } from '@themisdb/base';

// Few and small values, so that random ones often meet.
const scalars: readonly Value[] = [
  null,
  null,
  false,
  true,
  0,
  1,
  -1,
  2.5,
  1e21,
  '',
  '0',
  '1',
  'a',
  'ab',
  'z',
  '\u{1f600}',
  '\uffff',
  '2020-02-29',
];
const names = ['a', 'b', '_key', '__proto__'];

/** A value for property tests of this package, at most `depth` levels deep. */
export function randomValue(prng: Prng, depth: number): Value {
  if (depth === 0 || prng.chance(0.6)) return prng.pick(scalars);
  const length = prng.below(4);
  if (prng.chance(0.5)) return Array.from({ length }, () => randomValue(prng, depth - 1));
  const out = makeObject();
  for (let i = 0; i < length; i++) out[prng.pick(names)] = randomValue(prng, depth - 1);
  return out;
}
