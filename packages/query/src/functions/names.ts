import { suggest } from '@themisdb/base';
import { functionTable } from './table.ts';

/** Names of ArangoDB 3.12 functions that this version knows of but does not have. */
export const knownButAbsent: ReadonlySet<string> = new Set<string>([]);

/** The name of the function that was most likely meant, for messages. */
export function nearestFunction(name: string): string | undefined {
  return suggest(name, functionTable.keys());
}
