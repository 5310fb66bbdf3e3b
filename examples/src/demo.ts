import { hasCode } from '@themisdb/base';
import { renderTable } from '@themisdb/cli';
import { ThemisClient } from '@themisdb/client';
import { loadConfig, startServer } from '@themisdb/server';
import { loadAll } from './load.ts';
import { queries, type DemoQuery } from './queries.ts';

const namespace = 'demo';

/** Uses the server that runs already, or runs one of its own on ./data while the demo lasts. */
async function main(): Promise<void> {
  const url = process.env['THEMIS_URL'] ?? 'http://127.0.0.1:8080';
  if (await isRunning(url)) return demo(url);
  const { config } = loadConfig({
    variables: process.env,
    flags: { port: 0, 'log-level': 'warn' },
  });
  const server = await startServer(config);
  try {
    await demo(server.url);
  } finally {
    await server.stop({ graceMs: 5_000 });
  }
  say(
    `\nThe data stays in ${config.data}, namespace "${namespace}". Go on with:\n  npm start\n  npx themis shell --namespace ${namespace}`,
  );
}

async function isRunning(url: string): Promise<boolean> {
  const client = new ThemisClient({ url, timeoutMs: 2_000, retry: { attemptsMax: 1 } });
  try {
    await client.collections();
    return true;
  } catch (error) {
    if (hasCode(error, 'CONNECTION_FAILED')) return false;
    throw error;
  } finally {
    await client.close();
  }
}

async function demo(url: string): Promise<void> {
  const client = new ThemisClient({ url, namespace });
  try {
    say(`Loading public data into ${url}, namespace "${namespace}":`);
    await loadAll(client, ({ collection, rows, ms }) => {
      say(`  ${collection.padEnd(10)} ${String(rows).padStart(6)} rows in ${ms.toFixed(0)} ms`);
    });
    for (const query of queries) await show(client, query);
  } finally {
    await client.close();
  }
}

async function show(client: ThemisClient, query: DemoQuery): Promise<void> {
  const cursor = client.query(query.text, query.params ?? {});
  const started = performance.now();
  const rows = await cursor.all();
  const ms = performance.now() - started;
  say(`\n── ${query.title}\n${query.text.trim()}\n`);
  say(renderTable(rows, { width: process.stdout.columns ?? 100, rowsMax: 25 }));
  const { scannedFull, scannedIndex } = cursor.stats!;
  say(
    `${rows.length} rows in ${ms.toFixed(1)} ms (read ${scannedFull} records, ${scannedIndex} index entries)`,
  );
}

function say(text: string): void {
  process.stdout.write(text + '\n');
}

await main();
