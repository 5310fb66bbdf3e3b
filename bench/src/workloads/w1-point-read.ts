import { ThemisClient } from '@themisdb/client';
import { Prng } from '@themisdb/base';
import { load } from '../percentiles.ts';
import type { Context, Result, Workload } from '../workload.ts';
import { prepareSmall, smallRows } from './prepare.ts';

const inFlight = 64;

export const w1: Workload = {
  name: 'W1',
  title: `point reads by key through the SDK, ${inFlight} in flight, ${smallRows} documents`,
  async run(context) {
    await prepareSmall(context);
    const results = [
      await measureThemis(context, { coalesceReads: true, what: 'get, coalesced by the SDK' }),
      await measureThemis(context, { coalesceReads: false, what: 'get, one request each' }),
    ];
    const peer = await measurePostgres(context);
    return peer === undefined ? results : [...results, peer];
  },
};

async function measureThemis(
  { themis, seconds }: Context,
  { coalesceReads, what }: { readonly coalesceReads: boolean; readonly what: string },
): Promise<Result> {
  const client = new ThemisClient({ url: themis.url, connectionsMax: 64, coalesceReads });
  const collection = client.collection('small');
  const prng = new Prng(1);
  const { perSecond, latencies } = await load(inFlight, seconds, async () => {
    const found = await collection.get(`doc-${prng.below(smallRows)}`);
    if (found === undefined) throw new Error('a loaded document is missing');
  });
  await client.close();
  return {
    workload: 'W1',
    system: 'ThemisDB',
    what,
    value: perSecond,
    unit: 'reads/s',
    p50Ms: latencies.percentile(50),
    p99Ms: latencies.percentile(99),
  };
}

async function measurePostgres({ postgres, seconds }: Context): Promise<Result | undefined> {
  if (postgres === undefined) return undefined;
  const prng = new Prng(1);
  const { perSecond, latencies } = await load(inFlight, seconds, async () => {
    const { rows } = await postgres.pool.query({
      name: 'get',
      text: 'SELECT doc FROM small WHERE id = $1',
      values: [`doc-${prng.below(smallRows)}`],
    });
    if (rows.length !== 1) throw new Error('a loaded row is missing');
  });
  return {
    workload: 'W1',
    system: 'PostgreSQL',
    what: 'SELECT by primary key, prepared, 64 connections',
    value: perSecond,
    unit: 'reads/s',
    p50Ms: latencies.percentile(50),
    p99Ms: latencies.percentile(99),
  };
}
