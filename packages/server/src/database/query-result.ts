import type { Value } from '@themisdb/base';
import type { QueryRun } from '@themisdb/query';
import type { QueryResult } from './types.ts';

/** Wraps a query that has been started. Whoever never looks at it never meets its error. */
export function makeQueryResult<Row extends Value>(started: Promise<QueryRun>): QueryResult<Row> {
  started.catch(() => undefined);
  const iterate = async function* (): AsyncIterableIterator<Row> {
    const run = await started;
    try {
      for await (const batch of run.batches()) yield* batch as Row[];
    } finally {
      await run.close();
    }
  };
  return {
    [Symbol.asyncIterator]: iterate,
    run: () => started,
    async all() {
      return (await (await started).all()) as Row[];
    },
    async first() {
      for await (const row of iterate()) return row;
      return undefined;
    },
    async close() {
      const run = await started.catch(() => undefined);
      await run?.close();
    },
  };
}
