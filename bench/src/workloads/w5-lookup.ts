import { runPair } from './queries.ts';
import { prepareLarge } from './w3-import.ts';
import type { Workload } from '../workload.ts';

export const w5: Workload = {
  name: 'W5',
  title: 'index lookups in AQL, one query at a time, client time',
  async run(context) {
    await prepareLarge(context);
    const key = (n: number): Record<string, unknown> => ({
      key: `doc-${(n * 7919) % context.rows}`,
    });
    const point = await runPair(context, {
      workload: 'W5',
      what: 'one row by key',
      aql: 'FOR d IN large FILTER d._key == @key RETURN d.email',
      sql: `SELECT doc->>'email' FROM large WHERE doc->>'_key' = $1`,
      values: key,
    });
    const range = await runPair(context, {
      workload: 'W5',
      what: 'about 100 rows by a range',
      aql: 'FOR d IN large FILTER d.amount >= @low AND d.amount < @low + @width COLLECT WITH COUNT INTO n RETURN n',
      sql: `SELECT count(*)::int FROM large WHERE (doc->>'amount')::float8 >= $1 AND (doc->>'amount')::float8 < $1::float8 + $2::float8`,
      values: (n) => ({ low: (n * 37) % 9_000, width: 1_000_000 / context.rows }),
    });
    return [...point, ...range];
  },
};
