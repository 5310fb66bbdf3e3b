import { isArray, makeObject, type Value } from '@themisdb/base';

const enginePrototype: unknown = Object.getPrototypeOf(makeObject());

/**
 * The value with every object in it made by the engine, itself when that is so already. Bind
 * parameters of an embedding program are foreign: reading `constructor` from one would find the
 * program's own.
 */
export function toEngineValue(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) {
    const items = value.map(toEngineValue);
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  const out = makeObject();
  let changed = Object.getPrototypeOf(value) !== enginePrototype;
  for (const name of Object.keys(value)) {
    const item = value[name]!;
    out[name] = toEngineValue(item);
    changed ||= out[name] !== item;
  }
  return changed ? out : value;
}
