import { compareValues, type Prng, type Value, type ValueObject } from '@themisdb/base';
import { doc } from './test-store.ts';

/** The dumbest store there is: a map of documents by key. */
export type Model = Map<string, ValueObject>;

export interface ModelWorld {
  readonly prng: Prng;
  readonly keys: readonly string[];
}

export function makeWorld(prng: Prng, keyCount: number): ModelWorld {
  return { prng, keys: Array.from({ length: keyCount }, (_, i) => `k${i}`) };
}

const someValues: readonly unknown[] = [
  null,
  true,
  false,
  -1,
  0,
  1.5,
  7,
  '',
  'a',
  'ä',
  [1],
  { x: 1 },
];

/** A document of few values, so that indexes see duplicates. */
export function randomDocument({ prng }: ModelWorld, key?: string): ValueObject {
  const attributes: Record<string, unknown> = key === undefined ? {} : { _key: key };
  if (prng.chance(0.9)) attributes['a'] = prng.pick(someValues);
  if (prng.chance(0.7)) attributes['b'] = prng.below(5);
  if (prng.chance(0.6))
    attributes['tags'] = Array.from({ length: prng.below(4) }, () => prng.pick(['r', 'g', 'b']));
  if (prng.chance(0.4)) attributes['u'] = prng.below(200);
  if (prng.chance(0.3)) attributes['n'] = { deep: prng.below(3), other: prng.pick(someValues) };
  return doc(attributes);
}

export function sortedByAql(values: readonly Value[]): Value[] {
  return [...values].sort(compareValues);
}
