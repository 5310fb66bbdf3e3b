import { compareValues, isArray, type Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import { truthy } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import {
  alias,
  arrayExpected,
  chargeElements,
  define,
  define1,
  define2,
  wrongType,
} from './define.ts';
import { ValueMap, ValueSet } from './value-set.ts';

// Where ArangoDB leaves the order of results open, the elements stand in the order of their first
// appearance.

type Context = EvaluationContext;
type List = readonly Value[];

export function unique(list: List): Value[] {
  const seen = new ValueSet();
  return list.filter((item) => seen.add(item));
}

/** A function of arrays only. */
function ofArrays(
  name: string,
  summary: string,
  calculate: (lists: readonly List[], context: Context) => Value,
): AqlFunction {
  return define(`${name}(array, other, more*) → array`, summary, (values, context) =>
    values.every(isArray)
      ? calculate(counted(values as readonly List[], context), context)
      : arrayExpected(context, name),
  );
}

/** Accounts for all elements together, which is as much as any result or set has. */
function counted(lists: readonly List[], context: Context): readonly List[] {
  chargeElements(
    lists.reduce((total, list) => total + list.length, 0),
    context,
  );
  return lists;
}

function intersection(lists: readonly List[]): Value {
  const [first, ...others] = lists.map((list) => new ValueSet(list));
  return unique(lists[0]!).filter(
    (item) => first!.has(item) && others.every((set) => set.has(item)),
  );
}

/** The elements that appear exactly once in all of the arrays together. */
function outersection(lists: readonly List[]): Value {
  const all = lists.flat();
  const counts = new ValueMap<number>();
  for (const item of all) counts.set(item, (counts.get(item) ?? 0) + 1);
  return all.filter((item) => counts.get(item) === 1);
}

function minus(lists: readonly List[]): Value {
  const removed = new ValueSet(lists.slice(1).flat());
  return unique(lists[0]!).filter((item) => !removed.has(item));
}

function jaccard(first: Value, second: Value, context: Context): Value {
  if (!isArray(first) || !isArray(second)) return arrayExpected(context, 'JACCARD');
  const left = new ValueSet(first);
  const right = unique(second);
  const shared = right.filter((item) => left.has(item)).length;
  const total = left.size + right.length - shared;
  return total === 0 ? 1 : shared / total;
}

/** APPEND(): what is no array counts as one element, null as none. */
function append(values: List, context: Context): Value {
  const [list, added, uniqueFlag] = values;
  if (list !== null && !isArray(list)) return wrongType(context, 'APPEND');
  if (list === null && added === null) return null;
  const [before, after] = counted([list ?? [], elementsOf(added!)], context);
  const all = [...before!, ...after!];
  return truthy(uniqueFlag ?? null) ? unique(all) : all;
}

function elementsOf(value: Value): List {
  return value === null ? [] : isArray(value) ? value : [value];
}

function removeValues(list: Value, values: Value, context: Context): Value {
  if (values === null) return list;
  if (list === null) return [];
  if (!isArray(list) || !isArray(values)) return wrongType(context, 'REMOVE_VALUES');
  const removed = new ValueSet(values);
  return list.filter((item) => !removed.has(item));
}

const countDistinct = define1(
  'COUNT_DISTINCT(array) → number',
  'The number of different elements.',
  (list, context) =>
    isArray(list) ? new ValueSet(list).size : arrayExpected(context, 'COUNT_DISTINCT'),
);

export const arraySetFunctions: readonly AqlFunction[] = [
  define1('UNIQUE(array) → array', 'The different elements.', (list, context) =>
    isArray(list) ? unique(list) : arrayExpected(context, 'UNIQUE'),
  ),
  define1('SORTED_UNIQUE(array) → array', 'The different elements in order.', (list, context) =>
    isArray(list) ? unique(list).sort(compareValues) : arrayExpected(context, 'SORTED_UNIQUE'),
  ),
  countDistinct,
  alias('COUNT_UNIQUE', countDistinct),
  define(
    'APPEND(array, values, unique?) → array',
    'With the elements of another array added at the end.',
    append,
  ),
  ofArrays('UNION', 'The elements of all arrays.', (lists) => lists.flat()),
  ofArrays('UNION_DISTINCT', 'The different elements of all arrays.', (lists) =>
    unique(lists.flat()),
  ),
  ofArrays('INTERSECTION', 'The elements in every array.', intersection),
  ofArrays('OUTERSECTION', 'The elements that appear once in all arrays together.', outersection),
  ofArrays('MINUS', 'The elements of the first array that are in no other.', minus),
  define2('REMOVE_VALUES(array, values) → array', 'Without any of the values.', removeValues),
  define2(
    'JACCARD(first, second) → number',
    'The Jaccard index of two sets: shared elements by all elements.',
    jaccard,
  ),
];
