import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeDocument, writeJsonl } from '../documents.ts';
import type { Context } from '../workload.ts';

export const smallRows = 100_000;

const prepared = new WeakMap<object, Set<string>>();

/** Runs `make` once per server. */
export async function once(
  context: Context,
  name: string,
  make: () => Promise<void>,
): Promise<void> {
  const done = prepared.get(context.themis) ?? new Set();
  prepared.set(context.themis, done);
  if (done.has(name)) return;
  await make();
  done.add(name);
}

/** The collection, and table, `small`: documents by key, without further indexes. */
export function prepareSmall(context: Context): Promise<void> {
  return once(context, 'small', async () => {
    const collection = await context.themis.client.createCollection({ name: 'small' });
    const lines = Array.from({ length: smallRows }, (_, i) => JSON.stringify(makeDocument(i)));
    const answer = await collection.import(lines.join('\n'));
    if (answer.created !== smallRows) throw new Error(`loaded only ${answer.created} documents`);
    if (context.postgres === undefined) return;
    const { pool } = context.postgres;
    await pool.query('CREATE TABLE small (id text PRIMARY KEY, doc jsonb NOT NULL)');
    await pool.query('CREATE TABLE load (doc jsonb)');
    context.postgres.copyFile('load', await jsonlFile(context, smallRows));
    await pool.query(`INSERT INTO small SELECT doc->>'_key', doc FROM load`);
    await pool.query('DROP TABLE load');
    await pool.query('ANALYZE small');
  });
}

export async function jsonlFile(context: Context, rows: number): Promise<string> {
  const path = join(context.folder, `documents-${rows}.jsonl`);
  if (!existsSync(path)) await writeJsonl(path, rows);
  return path;
}

export function readFile(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>;
}
