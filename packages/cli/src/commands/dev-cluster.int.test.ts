import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { freePorts } from '@themisdb/testing/server-process';
import { isCommandBuilt, sleep, until } from '../testing/processes.ts';

const command = fileURLToPath(new URL('../../dist/bin/themis.js', import.meta.url));
/** Whoever types does so at a terminal. */
const asTerminal = 'data:text/javascript,process.stdin.isTTY=true';

const canSeeChildren = existsSync(childrenPath(process.pid));

describe.skipIf(!isCommandBuilt())('themis dev-cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-dev-'));
  let child: ChildProcess;
  let out: string;
  let pids: readonly number[];

  afterEach(() => {
    for (const pid of [...childrenOf(child.pid!), ...pids, child.pid!])
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(nodes: number, nodeFlags: readonly string[] = []): Promise<string[]> {
    const port = await freeRange(2 * nodes);
    const ports = ['--port', String(port), '--peer-port', String(port + nodes)];
    const flags = ['--nodes', String(nodes), '--data', folder, '--engine', 'memory', ...ports];
    child = spawn(process.execPath, [...nodeFlags, command, 'dev-cluster', ...flags]);
    [out, pids] = ['', []];
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
    }
    await untilWritten('Stop with Ctrl-C');
    pids = childrenOf(child.pid!);
    return Array.from({ length: nodes }, (_, n) => `http://127.0.0.1:${port + n}`);
  }

  async function untilWritten(text: string): Promise<void> {
    await until(() => {
      if (child.exitCode !== null) throw new Error(`it ended without ${text}:\n${out}`);
      return out.includes(text);
    });
  }

  /** Ends with this code, and none of its nodes is left. */
  async function expectEnd(code: number, urls: readonly string[]): Promise<void> {
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode, out).toBe(code);
    expect(pids.filter(isAlive)).toEqual([]);
    for (const url of urls) await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
  }

  test('three nodes take writes, one is killed when somebody says so, and q ends all', async () => {
    const urls = await start(3, ['--import', asTerminal]);
    expect(out).toContain(`3 nodes are ready:  ${urls.join('  ')}`);
    if (canSeeChildren) expect(pids).toHaveLength(3);
    await put(`${urls[0]}/collections`, 'POST', { name: 'films' });
    await put(`${urls[1]}/entity/films/alien`, 'PUT', { year: 1979 });
    const read = async (url: string): Promise<unknown> =>
      (await fetch(`${url}/entity/films/alien`)).json();
    for (const url of urls) expect(await read(url)).toMatchObject({ year: 1979 });

    child.stdin!.write('k 2\n');
    await untilWritten('node 2 is killed');
    await expect(fetch(`${urls[1]}/livez`)).rejects.toThrow('fetch failed');
    expect(await read(urls[2]!)).toMatchObject({ year: 1979 });
    child.stdin!.write('t\n');
    await untilWritten('not reachable');
    child.stdin!.write('q\n');
    await expectEnd(0, urls);
  });

  test('Ctrl-C ends all', async () => {
    const urls = await start(2);
    child.kill('SIGINT');
    await untilWritten('stopping the nodes one by one');
    await expectEnd(0, urls);
  });
});

async function put(url: string, method: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  expect(answer.status, await answer.text()).toBe(201);
}

/** As Linux tells; elsewhere nothing is known of them. */
function childrenOf(pid: number): number[] {
  const path = childrenPath(pid);
  if (!existsSync(path)) return [];
  return (readFileSync(path, 'utf8').match(/\d+/g) ?? []).map(Number);
}

function childrenPath(pid: number): string {
  return `/proc/${pid}/task/${pid}/children`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The first of so many ports in a row that nobody listens at. */
async function freeRange(count: number): Promise<number> {
  for (;;) {
    const [first] = (await freePorts(1)) as [number];
    const rest = Array.from({ length: count }, (_, n) => first + n);
    const free = await Promise.all(rest.map(isFree));
    if (free.every(Boolean)) return first;
    await sleep(1);
  }
}

async function isFree(port: number): Promise<boolean> {
  if (port > 65_000) return false;
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    await once(server.close(), 'close');
    return true;
  } catch {
    return false;
  }
}
