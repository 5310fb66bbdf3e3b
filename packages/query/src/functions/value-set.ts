import { compareStrings, isArray, type Value } from '@themisdb/base';

/**
 * What distinguishes values: equal by AQL's `==` exactly when their keys are equal. Scalars are their
 * own keys, so that most need no work; keys of arrays and objects are strings and live in a map of
 * their own. Attributes and trailing elements that are null do not count, as in comparisons.
 */
function containerKey(value: Value): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isArray(value)) {
    let length = value.length;
    while (length > 0 && value[length - 1] === null) length--;
    return `[${value.slice(0, length).map(containerKey).join(',')}]`;
  }
  const parts: string[] = [];
  for (const name of Object.keys(value).sort(compareStrings)) {
    const item = value[name]!;
    if (item !== null) parts.push(`${JSON.stringify(name)}:${containerKey(item)}`);
  }
  return `{${parts.join(',')}}`;
}

/** A map keyed by AQL values, in order of insertion. */
export class ValueMap<T> {
  readonly #scalars = new Map<Value, T>();
  readonly #containers = new Map<string, T>();

  get size(): number {
    return this.#scalars.size + this.#containers.size;
  }

  get(value: Value): T | undefined {
    return isContainer(value)
      ? this.#containers.get(containerKey(value))
      : this.#scalars.get(value);
  }

  has(value: Value): boolean {
    return isContainer(value)
      ? this.#containers.has(containerKey(value))
      : this.#scalars.has(value);
  }

  set(value: Value, entry: T): void {
    if (isContainer(value)) this.#containers.set(containerKey(value), entry);
    else this.#scalars.set(value, entry);
  }
}

/** A set of AQL values. */
export class ValueSet {
  readonly #scalars = new Set<Value>();
  readonly #containers = new Set<string>();

  constructor(values: Iterable<Value> = []) {
    for (const value of values) this.add(value);
  }

  get size(): number {
    return this.#scalars.size + this.#containers.size;
  }

  has(value: Value): boolean {
    return isContainer(value)
      ? this.#containers.has(containerKey(value))
      : this.#scalars.has(value);
  }

  /** False when an equal value was in the set before. */
  add(value: Value): boolean {
    const before = this.size;
    if (isContainer(value)) this.#containers.add(containerKey(value));
    else this.#scalars.add(value);
    return this.size > before;
  }
}

function isContainer(value: Value): boolean {
  return typeof value === 'object' && value !== null;
}

/** The memory a value takes, roughly: what limits are counted in. */
export function approximateBytes(value: Value): number {
  switch (typeof value) {
    case 'string':
      return 24 + value.length;
    case 'object': {
      if (value === null) return 8;
      let bytes = 32;
      if (isArray(value)) for (const item of value) bytes += approximateBytes(item);
      else for (const name of Object.keys(value)) bytes += 8 + approximateBytes(value[name]!);
      return bytes;
    }
    default:
      return 8;
  }
}
