import { hasCode } from '@themisdb/base';
import type { ThemisClient } from '@themisdb/client';
import { datasets, type Dataset } from './datasets.ts';

export interface Loaded {
  readonly collection: string;
  readonly rows: number;
  readonly ms: number;
}

/** Makes every collection anew with its indexes and rows. What was there under that name goes. */
export async function loadAll(
  client: ThemisClient,
  onLoaded: (loaded: Loaded) => void,
): Promise<void> {
  for (const dataset of datasets) {
    const started = performance.now();
    const rows = await load(client, dataset);
    onLoaded({ collection: dataset.spec.name, rows, ms: performance.now() - started });
  }
}

async function load(client: ThemisClient, { spec, indexes, rows }: Dataset): Promise<number> {
  await dropIfThere(client, spec.name);
  const collection = await client.createCollection(spec);
  for (const index of indexes) await collection.createIndex(index);
  const lines = rows().map((row) => JSON.stringify(row));
  const answer = await collection.import(lines.join('\n'), { errorsMax: 5 });
  if (answer.failed > 0) {
    throw new Error(
      `${spec.name}: ${answer.failed} rows refused, first: ${JSON.stringify(answer.errors[0])}`,
    );
  }
  return answer.created;
}

async function dropIfThere(client: ThemisClient, name: string): Promise<void> {
  try {
    await client.collection(name).drop();
  } catch (error) {
    if (!hasCode(error, 'COLLECTION_NOT_FOUND', 'NAMESPACE_NOT_FOUND')) throw error;
  }
}
