import { assert } from '@themisdb/base';
import { aggregateTable, type AggregateFunction } from '../functions/index.ts';

/** The aggregate of that name, which the binder has checked. */
export function mustAggregate(name: string): AggregateFunction {
  const found = aggregateTable.get(name);
  assert(found !== undefined, () => `the binder lets only known aggregates pass, not ${name}`);
  return found;
}

/** Whether an accumulator holds more the more values it gets. */
export function growsWithValues(name: string): boolean {
  return /^(PUSH|UNIQUE|SORTED_UNIQUE|COUNT_DISTINCT|COUNT_UNIQUE|MIN|MAX)$/.test(name);
}
