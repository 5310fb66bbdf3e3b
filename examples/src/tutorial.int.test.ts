import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '@themisdb/base';
import { ThemisClient } from '@themisdb/client';
import { makeConfig, startServer, type RunningServer } from '@themisdb/server';

// Runs docs/tutorial/first-database.md from top to bottom against a real server: `sh` blocks through
// bash and curl, `aql` blocks through the client. A `json` block is the answer to the block before it
// and must be equal but for what differs from run to run; `text` blocks (plans) are only kept fresh.
// UPDATE_DOCS=1 writes the answers anew.

const page = new URL('../../docs/tutorial/first-database.md', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'themis-tutorial-'));
const hasCurl = spawnSync('bash', ['-c', 'curl --version']).status === 0;
if (!hasCurl) console.log('tutorial.int.test.ts: skipped, bash or curl is not installed');

let server: RunningServer;
let client: ThemisClient;

async function start(): Promise<void> {
  const config = makeConfig({ port: 0, data: join(folder, 'data') });
  server = await startServer(config, { log: silentLog });
  client = new ThemisClient({ url: server.url });
}

async function stop(): Promise<void> {
  await client.close();
  await server.stop({ graceMs: 1_000 });
}

beforeAll(start);

afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

/** Shell variables live on from block to block, as in the reader's terminal. */
async function runShell(text: string): Promise<string> {
  const state = join(folder, 'variables');
  const script = `set -eo pipefail
    [ ! -f ${state} ] || . ${state}
    curl() { command curl -sS --fail-with-body "$@"; echo; }
    ${text.replaceAll('localhost:8080', new URL(server.url).host)}
    declare -p $(compgen -v | grep -xE 'H|TX') > ${state}`;
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
  }
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code, `${text}\nanswered\n${out}`).toBe(0);
  return out.trim();
}

async function runAql(text: string): Promise<string> {
  if (text.startsWith('.explain ')) {
    const plan = (await client.explain(text.slice('.explain '.length))) as { planText: string };
    return plan.planText;
  }
  const rows = await client.query(text).all();
  return rows.map((row) => JSON.stringify(row)).join('\n');
}

function masked(text: string): string {
  return text
    .replaceAll(/"[0-9a-f]{16}"/g, '"REVISION"')
    .replaceAll(/"(id|query_id)":"[\w-]+"/g, '"$1":"ID"')
    .replaceAll(/"stats":\{[^}]*\}/g, '"stats":{}')
    .replaceAll(/"selectivity":[\d.]+/g, '"selectivity":0')
    .replaceAll(/"(token|next)":"\d+\.\d+"/g, '"$1":"TOKEN"')
    .replaceAll(/"expires":"[^"]*"/g, '"expires":"LATER"');
}

test.skipIf(!hasCurl)('the tutorial does what it says', async () => {
  const source = readFileSync(page, 'utf8');
  const parts = source.split(/^```(\w*)\n([^]*?)^```\n/m);
  let answer = '';
  let compared = 0;
  // Three parts a block: the prose before it, its language, its text.
  for (let i = 1; i + 1 < parts.length; i += 3) {
    const [language, text] = [parts[i]!, parts[i + 1]!.trim()];
    if (/Stop, start, find it again/.test(parts[i - 1]!)) {
      await stop();
      await start();
    }
    if (language === 'sh' && !/^(npm|npx) /.test(text)) answer = await runShell(text);
    else if (language === 'aql') answer = await runAql(text);
    else if (language === 'json' || language === 'text') {
      if (process.env['UPDATE_DOCS'] !== '1' && language === 'json') {
        expect(masked(text)).toBe(masked(answer));
        compared++;
      }
      parts[i + 1] = `${answer}\n`;
    }
  }
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, joined(parts));
  else expect(compared).toBeGreaterThan(8);
});

function joined(parts: readonly string[]): string {
  let text = parts[0]!;
  for (let i = 1; i + 2 < parts.length; i += 3) {
    text += `\`\`\`${parts[i]}\n${parts[i + 1]}\`\`\`\n${parts[i + 2]}`;
  }
  return text;
}
