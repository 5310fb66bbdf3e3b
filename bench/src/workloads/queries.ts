import { Latencies } from '../percentiles.ts';
import type { Context, Result } from '../workload.ts';

export interface QueryPair {
  readonly workload: string;
  readonly what: string;
  readonly aql: string;
  readonly sql: string;
  readonly values: (n: number) => Readonly<Record<string, unknown>>;
  /** Rows looked at by one run; without it the result is runs per second. */
  readonly scanned?: number;
}

/** Runs both sides of a pair one after the other for `seconds` each, sequentially, and compares. */
export async function runPair(context: Context, pair: QueryPair): Promise<Result[]> {
  const answers: unknown[] = [];
  const results = [
    await measure(context, pair, 'ThemisDB', async (n) => {
      const rows = await context.themis.client.query(pair.aql, pair.values(n)).all();
      if (n === 0) answers.push(rows);
    }),
  ];
  const { postgres } = context;
  if (postgres === undefined) return results;
  const peer = await measure(context, pair, 'PostgreSQL', async (n) => {
    const { rows } = await postgres.pool.query({
      name: pair.workload + pair.what,
      text: pair.sql,
      values: Object.values(pair.values(n)),
    });
    if (n === 0) answers.push(rows.map((row: Record<string, unknown>) => Object.values(row)[0]));
  });
  checkSame(pair, answers);
  return [...results, peer];
}

async function measure(
  { seconds }: Context,
  pair: QueryPair,
  system: string,
  once: (n: number) => Promise<void>,
): Promise<Result> {
  const latencies = new Latencies();
  await once(0);
  const end = performance.now() + seconds * 1000;
  const begin = performance.now();
  for (let n = 1; performance.now() < end || n < 4; n++) {
    const started = performance.now();
    await once(n);
    latencies.add(performance.now() - started);
  }
  const perSecond = latencies.count / ((performance.now() - begin) / 1000);
  return {
    workload: pair.workload,
    system,
    what: pair.what,
    value: perSecond * (pair.scanned ?? 1),
    unit: pair.scanned === undefined ? 'queries/s' : 'rows/s',
    p50Ms: latencies.percentile(50),
    p99Ms: latencies.percentile(99),
  };
}

/** A benchmark of a wrong answer is worth nothing: both sides must agree. */
function checkSame(pair: QueryPair, [ours, theirs]: readonly unknown[]): void {
  const round = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, v: unknown) =>
      typeof v === 'number' ? Number(v.toPrecision(9)) : v,
    );
  const [a, b] = [JSON.stringify(round(ours)), JSON.stringify(round(theirs))];
  if (a !== b)
    throw new Error(
      `${pair.workload} ${pair.what}: answers differ: ${a.slice(0, 300)} and ${b.slice(0, 300)}`,
    );
}
