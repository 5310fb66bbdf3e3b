import {
  compareStrings,
  equalValues,
  isArray,
  isObject,
  makeObject,
  type MutableObject,
  type Value,
  type ValueObject,
} from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import { toInteger, toText, truthy } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { alias, define, define1, define2, wrongType } from './define.ts';

type Context = EvaluationContext;
type List = readonly Value[];

function flag(value: Value | undefined): boolean {
  return truthy(value ?? null);
}

/** A function of an object; anything else warns and gives null. */
function ofObject(
  signature: string,
  summary: string,
  calculate: (object: ValueObject, values: List, context: Context) => Value,
): AqlFunction {
  const name = signature.slice(0, signature.indexOf('('));
  return define(signature, summary, (values, context) =>
    isObject(values[0]) ? calculate(values[0], values, context) : wrongType(context, name),
  );
}

/** Attribute names, given one by one or as arrays; other arguments name nothing. */
function namesFrom(values: List, context: Context, name: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const value of values) {
    if (typeof value === 'string' || typeof value === 'number') names.add(toText(value));
    else if (isArray(value)) addNames(names, value, context, name);
  }
  return names;
}

function addNames(names: Set<string>, list: List, context: Context, name: string): void {
  for (const item of list) {
    if (typeof item === 'string') names.add(item);
    else wrongType(context, name, 'attribute names must be strings.');
  }
}

interface Selection {
  readonly names: ReadonlySet<string>;
  readonly keep: boolean;
  readonly recursive: boolean;
}

function selected(object: ValueObject, selection: Selection): ValueObject {
  const out = makeObject();
  for (const name of Object.keys(object)) {
    if (selection.names.has(name) !== selection.keep) continue;
    const value = object[name]!;
    out[name] = selection.recursive && isObject(value) ? selected(value, selection) : value;
  }
  return out;
}

function selecting(
  name: string,
  summary: string,
  how: { readonly keep: boolean; readonly recursive: boolean },
): AqlFunction {
  return ofObject(`${name}(object, name, more*) → object`, summary, (object, values, context) =>
    selected(object, { ...how, names: namesFrom(values.slice(1), context, name) }),
  );
}

function merging(name: string, summary: string, recursive: boolean): AqlFunction {
  return define(`${name}(object, more*) → object`, summary, (values, context) => {
    const parts: List = values.length === 1 && isArray(values[0]) ? values[0] : values;
    if (!parts.every(isObject)) return wrongType(context, name);
    const out = makeObject();
    for (const part of parts as readonly ValueObject[]) mergeInto(out, part, recursive);
    return out;
  });
}

function mergeInto(target: MutableObject, source: ValueObject, recursive: boolean): void {
  for (const name of Object.keys(source)) {
    const value = source[name]!;
    const before = target[name];
    if (!recursive || !isObject(value) || !isObject(before)) {
      target[name] = value;
      continue;
    }
    const merged = makeObject();
    mergeInto(merged, before, true);
    mergeInto(merged, value, true);
    target[name] = merged;
  }
}

/** Names starting with `_` are the system's. */
function namesOf(object: ValueObject, removeSystem: boolean): string[] {
  const names = Object.keys(object);
  return removeSystem ? names.filter((name) => !name.startsWith('_')) : names;
}

function attributes(object: ValueObject, values: List): Value {
  const names = namesOf(object, flag(values[1]));
  return flag(values[2]) ? names.sort(compareStrings) : names;
}

/** Whether the object has every attribute of an example with an equal value; null matches absent. */
function matchesExample(object: ValueObject, example: ValueObject): boolean {
  return Object.keys(example).every((name) => {
    const wanted = example[name]!;
    const value = object[name];
    return value === undefined ? wanted === null : equalValues(value, wanted);
  });
}

function matches(values: List, context: Context): Value {
  const [object, examplesValue, returnIndex] = values;
  if (!isObject(object)) return false;
  const examples = isArray(examplesValue) ? examplesValue : [examplesValue!];
  const index = examples.findIndex((example) =>
    isObject(example) ? matchesExample(object, example) : wrongType(context, 'MATCHES') !== null,
  );
  return flag(returnIndex) ? index : index >= 0;
}

function translate(values: List, context: Context): Value {
  const [value, lookup, fallback] = values;
  if (!isObject(lookup)) return wrongType(context, 'TRANSLATE');
  return lookup[toText(value!)] ?? (values.length > 2 ? fallback! : value!);
}

/** Of equal keys the first counts. */
function zip(keys: Value, values: Value, context: Context): Value {
  if (!isArray(keys) || !isArray(values) || keys.length !== values.length) {
    return wrongType(context, 'ZIP', 'two arrays of equal length were expected.');
  }
  const out = makeObject();
  keys.forEach((key, i) => {
    const name = toText(key);
    if (out[name] === undefined) out[name] = values[i]!;
  });
  return out;
}

/** The value at a path of names and positions, or null. */
function valueAt(object: ValueObject, values: List, context: Context): Value {
  const path = values[1];
  if (!isArray(path)) return wrongType(context, 'VALUE');
  if (path.length === 0) return null;
  let value: Value = object;
  for (const step of path) {
    if (typeof step === 'string' && isObject(value)) value = value[step] ?? null;
    else if (typeof step === 'number' && isArray(value)) value = value[toInteger(step)] ?? null;
    else return null;
  }
  return value;
}

const attributesFunction = ofObject(
  'ATTRIBUTES(object, removeSystem?, sort?) → array',
  'The attribute names.',
  attributes,
);

export const objectFunctions: readonly AqlFunction[] = [
  attributesFunction,
  alias('KEYS', attributesFunction),
  ofObject('VALUES(object, removeSystem?) → array', 'The attribute values.', (object, values) =>
    namesOf(object, flag(values[1])).map((name) => object[name]!),
  ),
  ofObject('ENTRIES(object) → array', 'The pairs of attribute name and value.', (object) =>
    Object.keys(object).map((name) => [name, object[name]!]),
  ),
  ofObject('VALUE(object, path) → any', 'The value at a path of names and positions.', valueAt),
  define2(
    'HAS(object, name) → bool',
    'Whether the object has the attribute, even if it is null.',
    (object, name) => isObject(object) && object[toText(name)] !== undefined,
  ),
  selecting('KEEP', 'With the named attributes only.', { keep: true, recursive: false }),
  selecting('KEEP_RECURSIVE', 'As KEEP(), on all levels.', { keep: true, recursive: true }),
  selecting('UNSET', 'Without the named attributes.', { keep: false, recursive: false }),
  selecting('UNSET_RECURSIVE', 'As UNSET(), on all levels.', { keep: false, recursive: true }),
  merging('MERGE', 'The attributes of all objects; of equal names the last counts.', false),
  merging('MERGE_RECURSIVE', 'As MERGE(), objects in attributes merged as well.', true),
  define(
    'MATCHES(object, examples, returnIndex?) → bool',
    'Whether the object is like one of the examples; with returnIndex which, or -1.',
    matches,
  ),
  define(
    'TRANSLATE(value, lookup, default?) → any',
    'The value looked up in an object; the default or the value itself when absent.',
    translate,
  ),
  define2('ZIP(names, values) → object', 'The object of an array of names and one of values.', zip),
  define1(
    'CHECK_DOCUMENT(value) → bool',
    'Whether it is an object without duplicate names.',
    (value) => isObject(value),
  ),
];
