import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { spawnSource } from '@themisdb/testing/spawn-source';

let child: ReturnType<typeof spawnSource>;
afterEach(() => child.kill('SIGKILL'));

/** Resolves with all that was written once `text` is in it. */
async function until(stream: NodeJS.ReadableStream, text: string): Promise<string> {
  let all = '';
  for await (const chunk of stream) {
    all += String(chunk);
    if (all.includes(text)) return all;
  }
  throw new Error(`it ended without ${text}:\n${all}`);
}

test('a second signal ends a server that waits for what is under way', async () => {
  const flags = ['start', '--engine', 'memory', '--port', '0'];
  child = spawnSource(new URL('../bin/themis.ts', import.meta.url), flags);
  const ended = once(child, 'exit');
  const [, url] = /(http:\S+)/.exec(await until(child.stdout, 'Stop with Ctrl-C'))!;
  const name = { method: 'POST', headers: { 'content-type': 'application/json' } };
  await fetch(`${url}/collections`, { ...name, body: '{"name":"c"}' });
  // An import whose body goes on for ever.
  const endless = request(`${url}/collections/c/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  endless.on('error', () => undefined);
  endless.write('{}\n');
  const isUnderWay = async (): Promise<boolean> =>
    (await (await fetch(`${url}/metrics`)).text()).includes('requests_in_flight 2');
  while (!(await isUnderWay()));
  child.kill('SIGTERM');
  const isListening = (): Promise<boolean> =>
    fetch(`${url}/livez`).then(
      () => true,
      () => false,
    );
  while (await isListening());
  child.kill('SIGTERM');
  expect(await ended).toEqual([1, null]);
});
