import { runPair } from './queries.ts';
import { prepareLarge } from './w3-import.ts';
import type { Workload } from '../workload.ts';

export const w4: Workload = {
  name: 'W4',
  title: 'filter and aggregate over the whole collection',
  async run(context) {
    await prepareLarge(context);
    return runPair(context, {
      workload: 'W4',
      what: 'filter on one attribute, count and sum of another',
      aql: 'FOR d IN large FILTER d.age >= @age COLLECT AGGREGATE n = COUNT(1), s = SUM(d.amount) RETURN [n, s]',
      sql: `SELECT json_build_array(count(*), sum((doc->>'amount')::float8)) FROM large WHERE (doc->>'age')::int >= $1`,
      values: () => ({ age: 50 }),
      scanned: context.rows,
    });
  },
};
