import { jsonlFile, once, readFile } from './prepare.ts';
import type { Context, Result, Workload } from '../workload.ts';

/** Seconds of the import, kept for the table; W4 to W6 read what it loaded. */
const measured = new WeakMap<object, Result[]>();

export const w3: Workload = {
  name: 'W3',
  title: 'bulk import of JSONL into a collection with two indexes',
  async run(context) {
    await prepareLarge(context);
    return measured.get(context.themis)!;
  },
};

export function prepareLarge(context: Context): Promise<void> {
  return once(context, 'large', async () => {
    const path = await jsonlFile(context, context.rows);
    const results = [await importThemis(context, path)];
    if (context.postgres !== undefined) results.push(await importPostgres(context, path));
    measured.set(context.themis, results);
  });
}

async function importThemis({ themis, rows }: Context, path: string): Promise<Result> {
  const collection = await themis.client.createCollection({ name: 'large' });
  await collection.createIndex({ name: 'by_city', fields: ['city', 'age'] });
  await collection.createIndex({ name: 'by_amount', fields: ['amount'] });
  const started = performance.now();
  const answer = await collection.import(readFile(path));
  const seconds = (performance.now() - started) / 1000;
  if (answer.created !== rows) throw new Error(`imported only ${answer.created} of ${rows}`);
  return {
    workload: 'W3',
    system: 'ThemisDB',
    what: 'NDJSON over HTTP, 2 indexes',
    value: rows / seconds,
    unit: 'rows/s',
  };
}

async function importPostgres({ postgres, rows }: Context, path: string): Promise<Result> {
  const { pool } = postgres!;
  await pool.query(`CREATE TABLE large (doc jsonb NOT NULL)`);
  await pool.query(`CREATE UNIQUE INDEX ON large ((doc->>'_key'))`);
  await pool.query(`CREATE INDEX ON large ((doc->>'city'), ((doc->>'age')::int))`);
  await pool.query(`CREATE INDEX ON large (((doc->>'amount')::float8))`);
  const started = performance.now();
  postgres!.copyFile('large', path);
  const seconds = (performance.now() - started) / 1000;
  await pool.query('VACUUM ANALYZE large');
  return {
    workload: 'W3',
    system: 'PostgreSQL',
    what: 'COPY into jsonb, key and 2 indexes',
    value: rows / seconds,
    unit: 'rows/s',
  };
}
