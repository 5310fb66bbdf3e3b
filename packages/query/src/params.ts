import { isObject, makeObject, type Value } from '@themisdb/base';

/**
 * Values from outside as engine values: objects without inherited members, so that `constructor` and
 * the like are ordinary attribute names. Scalars and engine objects cost nothing.
 */
export function engineValue(value: Value): Value {
  if (Array.isArray(value)) {
    return value.every((item) => item === null || typeof item !== 'object')
      ? value
      : (value as readonly Value[]).map(engineValue);
  }
  if (!isObject(value)) return value;
  const out = makeObject();
  for (const name of Object.keys(value)) out[name] = engineValue(value[name]!);
  return out;
}
