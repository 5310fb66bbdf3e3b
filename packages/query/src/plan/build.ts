import type { CollectionInfo } from '@themisdb/storage';
import type { ScanNode } from './node.ts';

/** The naive way: read all of the collection, whole documents. */
export function scanAll(id: number, variable: string, collection: CollectionInfo): ScanNode {
  return {
    type: 'scan',
    id,
    variable,
    collection,
    access: { type: 'full' },
    filters: [],
    covered: [],
    output: { document: 'early', projections: [] },
    limit: undefined,
    hint: undefined,
  };
}
