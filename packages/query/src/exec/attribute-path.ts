import { isObject, type Value } from '@themisdb/base';

/** Follows attribute names into a value; null where there is nothing. */
export function attributeAt(value: Value, steps: readonly string[]): Value {
  let current = value;
  for (const step of steps) {
    if (!isObject(current)) return null;
    current = current[step] ?? null;
  }
  return current;
}
