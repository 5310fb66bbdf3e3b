import { arrayFunctions } from './array.ts';
import { arraySetFunctions } from './array-set.ts';
import { bitFunctions } from './bit.ts';
import type { AqlFunction } from './contract.ts';
import { dateArithmeticFunctions } from './date-arithmetic.ts';
import { dateFunctions } from './date.ts';
import type { Family } from './define.ts';
import { distanceFunctions } from './distance.ts';
import { encodingFunctions } from './encoding.ts';
import { identifierFunctions } from './identifier.ts';
import { ipFunctions } from './ip.ts';
import { dynamicCalls, miscFunctions } from './misc.ts';
import { numericFunctions } from './numeric.ts';
import { objectFunctions } from './object.ts';
import { regexFunctions } from './regex.ts';
import { similarityFunctions } from './similarity.ts';
import { statisticsFunctions } from './statistics.ts';
import { stringFunctions } from './string.ts';
import { stringSearchFunctions } from './string-search.ts';
import { typeFunctions } from './type.ts';

/** All functions by family, in the order of the reference page. */
export const functionFamilies: ReadonlyMap<Family, readonly AqlFunction[]> = new Map<
  Family,
  readonly AqlFunction[]
>([
  ['Type check and cast', typeFunctions],
  [
    'String',
    [
      ...stringFunctions,
      ...stringSearchFunctions,
      ...regexFunctions,
      ...similarityFunctions,
      ...encodingFunctions,
      ...ipFunctions,
    ],
  ],
  ['Numeric', [...numericFunctions, ...statisticsFunctions, ...distanceFunctions]],
  ['Bit', bitFunctions],
  ['Array', [...arrayFunctions, ...arraySetFunctions]],
  ['Object and document', [...objectFunctions, ...identifierFunctions]],
  ['Date', [...dateFunctions, ...dateArithmeticFunctions]],
  [
    'Miscellaneous',
    [...miscFunctions, ...dynamicCalls((name): AqlFunction | undefined => functionTable.get(name))],
  ],
]);

/** Every function this version has, by upper-case name. */
export const functionTable: ReadonlyMap<string, AqlFunction> = new Map(
  [...functionFamilies.values()].flat().map((entry) => [entry.name, entry]),
);
