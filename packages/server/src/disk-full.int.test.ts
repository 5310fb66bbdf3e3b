import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { open } from './database/open.ts';
import { startServerProcess, type ServerProcess } from './testing/server-process.ts';
import type { TestAnswer } from './testing/test-server.ts';

// A whole server on a file system of 128 MiB that fills up. It needs the right to mount one.

const root = mkdtempSync(join(tmpdir(), 'themis-full-'));
const mounting = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', root]);
const isMounted = mounting.status === 0;
if (!isMounted) {
  rmdirSync(root);
  const why = mounting.error?.message ?? mounting.stderr.toString().trim();
  console.log(`skipped: the disk-full test of a whole server needs to mount a tmpfs: ${why}`);
}
afterAll(() => {
  if (!isMounted) return;
  spawnSync('umount', ['--lazy', root]);
  rmdirSync(root);
});

const data = join(root, 'data');
const ballast = join(root, 'ballast');
const freeBytes = (): number => {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Writes one after the other until one is refused, and says which were not. */
async function writeUntilRefused(
  server: ServerProcess,
  acknowledged: Set<string>,
): Promise<TestAnswer> {
  for (let n = 0; n < 1000; n++) {
    const key = `k${acknowledged.size}`;
    const json = { n: acknowledged.size, pad: 'x'.repeat(200_000) };
    const answer = await server.send('PUT', `/entity/docs/${key}`, { json });
    if (answer.status !== 201) return answer;
    acknowledged.add(key);
  }
  throw new Error('the disk did not fill up');
}

async function keysOf(server: ServerProcess): Promise<string[]> {
  const { json } = await server.aql('FOR d IN docs RETURN d._key', {}, { batchSize: 10_000 });
  return json.results as string[];
}

test.skipIf(!isMounted)(
  'writes are refused, reads go on, writes resume with room, and a restart has what was acknowledged',
  async () => {
    writeFileSync(ballast, Buffer.alloc(84 * 1024 * 1024));
    const server = await startServerProcess(data);
    await server.send('POST', '/collections', { json: { name: 'docs' } });
    const acknowledged = new Set<string>();

    const refusal = await writeUntilRefused(server, acknowledged);
    expect([refusal.status, refusal.code]).toEqual([507, 'DISK_FULL']);
    expect(refusal.json.retryable).toBe(true);
    expect(acknowledged.size).toBeGreaterThan(10);

    // Every kind of write is refused, for as long as there is no room.
    const refused: TestAnswer[] = [
      await server.aql('FOR i IN 1..10 INSERT { _key: CONCAT("q", i), pad: @pad } INTO docs', {
        pad: 'y'.repeat(100_000),
      }),
      await server.send('POST', '/batch/put', {
        json: { items: [{ ref: 'docs/b', entity: { pad: 'y'.repeat(1_000_000) } }] },
      }),
    ];
    expect(refused.map(({ status, code }) => [status, code])).toEqual([
      [507, 'DISK_FULL'],
      [507, 'DISK_FULL'],
    ]);

    // Reads are alive, of one entity, of a query, of the feed; so is the server.
    expect((await server.send('GET', '/entity/docs/k3')).json.n).toBe(3);
    expect((await keysOf(server)).sort()).toEqual([...acknowledged].sort());
    const feed = await server.send('GET', '/changefeed?limit=10000');
    expect(feed.json.changes).toHaveLength(acknowledged.size);
    expect((await server.send('GET', '/readyz')).status).toBe(200);

    // Room again: nobody restarts anything.
    rmSync(ballast);
    let resumed: TestAnswer;
    do {
      await pause(50);
      resumed = await server.send('PUT', '/entity/docs/after', { json: { n: -1 } });
    } while (resumed.code === 'DISK_FULL');
    expect(resumed.status).toBe(201);
    acknowledged.add('after');
    expect(freeBytes()).toBeGreaterThan(0);

    server.kill('SIGKILL');
    await server.ended;
    const again = await open(data);
    const found = await again.query('FOR d IN docs RETURN d._key').all();
    expect((found as string[]).sort()).toEqual([...acknowledged].sort());
    await again.collection('docs').put('last', {});
    await again.close();
  },
  60_000,
);
