import { isObject, makeObject, type Value } from '@themisdb/base';
import { formatTimestamp, type Timestamp } from '@themisdb/storage';

/**
 * Results of a query that modified data, with the revisions its writes got by its commit in place of
 * the provisional ones they showed before.
 */
export function finalRevisions(
  values: readonly Value[],
  provisional: Timestamp,
  committed: Timestamp,
): readonly Value[] {
  const from = formatTimestamp(provisional);
  const to = formatTimestamp(committed);
  const corrected = (value: Value): Value => {
    if (typeof value === 'string') return value.includes(from) ? value.replaceAll(from, to) : value;
    if (Array.isArray(value)) return mapChanged(value as readonly Value[], corrected);
    if (!isObject(value)) return value;
    let out: ReturnType<typeof makeObject> | undefined;
    const names = Object.keys(value);
    for (const [i, name] of names.entries()) {
      const item = corrected(value[name]!);
      if (out === undefined) {
        if (item === value[name]) continue;
        out = makeObject();
        for (const before of names.slice(0, i)) out[before] = value[before]!;
      }
      out[name] = item;
    }
    return out ?? value;
  };
  return mapChanged(values, corrected);
}

function mapChanged(values: readonly Value[], change: (value: Value) => Value): readonly Value[] {
  let changed = false;
  const out = values.map((value) => {
    const item = change(value);
    changed ||= item !== value;
    return item;
  });
  return changed ? out : values;
}
