import { load } from '../percentiles.ts';
import { makeDocument } from '../documents.ts';
import type { Context, Result, Workload } from '../workload.ts';

const writers = 64;

export const w2: Workload = {
  name: 'W2',
  title: `durable single writes, ${writers} writers, each acknowledged after fdatasync`,
  async run(context) {
    const results = [await measureThemis(context)];
    const peer = await measurePostgres(context);
    return peer === undefined ? results : [...results, peer];
  },
};

async function measureThemis({ themis, seconds }: Context): Promise<Result> {
  const collection = await themis.client.createCollection({ name: 'writes' });
  let n = 0;
  const { perSecond, latencies } = await load(writers, seconds, async () => {
    const document = makeDocument(n++);
    await collection.put(String(document['_key']), document);
  });
  return {
    workload: 'W2',
    system: 'ThemisDB',
    what: 'PUT through the SDK, idempotency key on each',
    value: perSecond,
    unit: 'writes/s',
    p50Ms: latencies.percentile(50),
    p99Ms: latencies.percentile(99),
  };
}

async function measurePostgres({ postgres, seconds }: Context): Promise<Result | undefined> {
  if (postgres === undefined) return undefined;
  await postgres.pool.query('CREATE TABLE writes (id text PRIMARY KEY, doc jsonb NOT NULL)');
  let n = 0;
  const { perSecond, latencies } = await load(writers, seconds, async () => {
    const document = makeDocument(n++);
    await postgres.pool.query({
      name: 'put',
      text: 'INSERT INTO writes VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc',
      values: [document['_key'], JSON.stringify(document)],
    });
  });
  return {
    workload: 'W2',
    system: 'PostgreSQL',
    what: 'INSERT … ON CONFLICT, synchronous_commit=on',
    value: perSecond,
    unit: 'writes/s',
    p50Ms: latencies.percentile(50),
    p99Ms: latencies.percentile(99),
  };
}
