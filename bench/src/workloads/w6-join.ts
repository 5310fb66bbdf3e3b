import { runPair } from './queries.ts';
import { prepareSmall } from './prepare.ts';
import { prepareLarge } from './w3-import.ts';
import type { Workload } from '../workload.ts';

export const w6: Workload = {
  name: 'W6',
  title: 'join of the large collection with 100,000 documents by key',
  async run(context) {
    await prepareSmall(context);
    await prepareLarge(context);
    return runPair(context, {
      workload: 'W6',
      what: 'every row to its customer, then count by city',
      aql: `FOR d IN large FOR c IN small FILTER c._key == d.customer
            COLLECT city = c.city WITH COUNT INTO n SORT city RETURN { city, n }`,
      sql: `SELECT json_build_object('city', c.doc->>'city', 'n', count(*)) FROM large d JOIN small c ON c.id = d.doc->>'customer'
            GROUP BY c.doc->>'city' ORDER BY c.doc->>'city'`,
      values: () => ({}),
      scanned: context.rows,
    });
  },
};
