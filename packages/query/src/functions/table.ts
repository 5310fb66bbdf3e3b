import { arrayFunctions } from './array.ts';
import type { AqlFunction } from './contract.ts';
import type { Family } from './define.ts';
import { stringFunctions } from './string.ts';
import { typeFunctions } from './type.ts';

/** All functions by family, in the order of the reference page. */
export const functionFamilies: ReadonlyMap<Family, readonly AqlFunction[]> = new Map<
  Family,
  readonly AqlFunction[]
>([
  ['Type check and cast', typeFunctions],
  ['String', stringFunctions],
  ['Array', arrayFunctions],
]);

/** Every function this version has, by upper-case name. */
export const functionTable: ReadonlyMap<string, AqlFunction> = new Map(
  [...functionFamilies.values()].flat().map((entry) => [entry.name, entry]),
);
