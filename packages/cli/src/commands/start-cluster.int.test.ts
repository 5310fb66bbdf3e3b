import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLeader, makeServerCluster } from '@themisdb/testing/server-cluster';
import { freePorts, ServerProcess } from '@themisdb/testing/server-process';

const isBuilt = existsSync(fileURLToPath(new URL('../../dist/bin/themis.js', import.meta.url)));
if (!isBuilt) console.warn('three processes: not tested, the command is not built (npx tsc -b)');

interface Answer {
  readonly status: number;
  readonly token: string;
  // Answers are looked into by tests of all kinds.
  // eslint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

interface Sent {
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(
  node: ServerProcess,
  method: string,
  path: string,
  { json, headers }: Sent = {},
): Promise<Answer> {
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  const type = json === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await fetch(node.url + path, {
    method,
    headers: { ...type, ...headers },
    ...body,
  });
  const token = answer.headers.get('x-themis-token') ?? '';
  return { status: answer.status, token, json: await answer.json() };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await sleep(10);
}

/** Writes new documents at a node, one after the other, and keeps which were acknowledged. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly refused: unknown[] = [];
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(node: ServerProcess, name: string) {
    this.#running = this.#run(node, name);
  }

  async #run(node: ServerProcess, name: string): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const key = `${name}-${n}`;
      const { status, json } = await send(node, 'PUT', `/entity/c/${key}`, { json: { n } });
      if (status === 201) this.acknowledged.push(key);
      else this.refused.push(json);
    }
  }

  async untilMore(count: number): Promise<void> {
    const before = this.acknowledged.length;
    await until(() => this.acknowledged.length >= before + count);
  }

  stop(): Promise<void> {
    this.#isOver = true;
    return this.#running;
  }
}

/** On a busy machine a leader may stand still for a while; one that died is noticed by its connections. */
const variables = { THEMIS_CLUSTER_ELECTION_MS: '2000' };

describe.skipIf(!isBuilt)('three processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-three-'));
  let nodes: ServerProcess[];

  beforeAll(async () => {
    nodes = await makeServerCluster({ folder, nodes: 3, variablesOf: () => variables });
    for (const node of nodes) node.start();
    await untilHealthy();
    const made = await send(nodes[0]!, 'POST', '/collections', { json: { name: 'c' } });
    expect(made.status, JSON.stringify(made.json)).toBe(201);
  });
  afterAll(async () => {
    for (const node of nodes) node.signal('SIGCONT');
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  async function untilHealthy(): Promise<void> {
    await Promise.all(nodes.map((node) => node.untilReady({ timeoutMs: 60_000 })));
    await until(async () => (await findLeader(nodes)) !== undefined);
  }

  /** The one that leads, and the others. */
  async function roles(): Promise<[ServerProcess, ServerProcess, ServerProcess]> {
    const leader = nodes[(await findLeader(nodes))!]!;
    return [leader, ...nodes.filter((node) => node !== leader)] as [
      ServerProcess,
      ServerProcess,
      ServerProcess,
    ];
  }

  async function keysAt(node: ServerProcess): Promise<string[]> {
    const { json } = await send(node, 'POST', '/query/aql', {
      json: { query: 'FOR d IN c RETURN d._key', options: { batchSize: 100_000 } },
    });
    return json.results as string[];
  }

  async function expectEverywhere(keys: readonly string[]): Promise<void> {
    for (const node of nodes) {
      const there = new Set(await keysAt(node));
      expect(keys.filter((key) => !there.has(key))).toEqual([]);
    }
  }

  test('what is written at any node is read at every one', async () => {
    for (let round = 0; round < 10; round++) {
      for (const [n, writer] of nodes.entries()) {
        const path = `/entity/c/any${n}`;
        const { status, token } = await send(writer, 'PUT', path, { json: { round } });
        expect([200, 201]).toContain(status);
        for (const level of ['strong', `at-least=${token}`]) {
          const headers = { 'x-themis-consistency': level };
          for (const reader of nodes) {
            const read = await send(reader, 'GET', path, { headers });
            expect(read.json).toMatchObject({ round });
            expect(read.token >= token).toBe(true);
          }
        }
      }
    }
  });

  test('a node that hears of no other tells only what each level allows', async () => {
    const [leader, other, lone] = await roles();
    const { token } = await send(lone, 'PUT', '/entity/c/old', { json: { v: 1 } });
    await send(lone, 'GET', '/entity/c/old');
    for (const node of [leader, other]) node.signal('SIGSTOP');
    const statusAt = async (level: string): Promise<[number, string | undefined]> => {
      const headers = { 'x-themis-consistency': level, 'x-request-timeout': '300' };
      const { status, json } = await send(lone, 'GET', '/entity/c/old', { headers });
      return [status, json.error?.code];
    };
    const ahead = (BigInt(`0x${token}`) + (1n << 40n)).toString(16).padStart(16, '0');
    const statuses: Record<string, [number, string | undefined]> = {};
    for (const level of ['strong', 'bounded=1', 'bounded=60000', 'eventual']) {
      statuses[level] = await statusAt(level);
    }
    const tokens = [await statusAt(`at-least=${token}`), await statusAt(`at-least=${ahead}`)];
    for (const node of [leader, other]) node.signal('SIGCONT');
    expect(statuses).toEqual({
      eventual: [200, undefined],
      'bounded=60000': [200, undefined],
      'bounded=1': [503, 'NO_LEADER'],
      strong: [503, 'NO_LEADER'],
    });
    expect(tokens).toEqual([
      [200, undefined],
      [503, 'NO_LEADER'],
    ]);
    await untilHealthy();
  });

  test('a leader that hears of no other acknowledges nothing', async () => {
    const [leader, ...others] = await roles();
    for (const node of others) node.signal('SIGSTOP');
    const headers = { 'x-request-timeout': '300' };
    const put = await send(leader, 'PUT', '/entity/c/alone', { json: {}, headers });
    for (const node of others) node.signal('SIGCONT');
    expect([put.status, put.json.error?.code]).toEqual([503, 'UNKNOWN_OUTCOME']);
    await untilHealthy();
  });

  test('a leader that is killed takes nothing acknowledged with it, and others go on', async () => {
    const [leader, ...others] = await roles();
    const writers = others.map((node, n) => new Writer(node, `kill${n}`));
    await Promise.all(writers.map((writer) => writer.untilMore(20)));
    await leader.kill();
    await Promise.all(writers.map((writer) => writer.untilMore(10)));
    leader.start();
    await Promise.all(writers.map((writer) => writer.untilMore(10)));
    await untilHealthy();
    await Promise.all(writers.map((writer) => writer.stop()));
    await expectEverywhere(writers.flatMap(({ acknowledged }) => acknowledged));
  });

  test('a leader that is told to stop hands over, and no write is refused', async () => {
    const [leader, ...others] = await roles();
    const writers = others.map((node, n) => new Writer(node, `stop${n}`));
    await Promise.all(writers.map((writer) => writer.untilMore(20)));
    await leader.stop();
    expect(leader.exitCode).toBe(0);
    await Promise.all(writers.map((writer) => writer.untilMore(10)));
    leader.start();
    await untilHealthy();
    await Promise.all(writers.map((writer) => writer.stop()));
    expect(writers.flatMap(({ refused }) => refused)).toEqual([]);
    await expectEverywhere(writers.flatMap(({ acknowledged }) => acknowledged));
  });

  test('a node that is gone for good is replaced, once the peers were read anew', async () => {
    const [, left, gone] = await roles();
    await gone.kill();
    const ids = new Map(nodes.map((node, n) => [node, n + 1]));
    const [port, peerPort] = (await freePorts(2)) as [number, number];
    const newPeer = { id: 4, address: `127.0.0.1:${peerPort}`, url: `http://127.0.0.1:${port}` };
    const config = configOf(ids.get(left)!);
    const peers = [...config.cluster.peers.filter(({ id }) => id !== ids.get(gone)), newPeer];
    const cluster = { node: 4, join: true, listen: newPeer.address, peers };
    const fresh = new ServerProcess({
      folder: join(folder, 'node4'),
      port,
      config: { cluster },
      variables,
    });
    const rest = nodes.filter((node) => node !== gone);
    nodes = [...rest, fresh];
    fresh.start();
    const change = { json: { type: 'replace', id: ids.get(gone), by: 4 } };
    const early = await send(left, 'POST', '/api/admin/members', change);
    expect(early.json.error?.code).toBe('MEMBER_CHANGE_REFUSED');

    const path = configPath(ids.get(left)!);
    writeFileSync(path, JSON.stringify({ ...config, cluster: { ...config.cluster, peers: 'x' } }));
    left.signal('SIGHUP');
    await until(() => left.log.includes('CONFIG_INVALID'));
    for (const node of rest) {
      const own = configOf(ids.get(node)!, node === left ? config : undefined);
      const text = JSON.stringify({ ...own, cluster: { ...own.cluster, peers } });
      writeFileSync(configPath(ids.get(node)!), text);
      node.signal('SIGHUP');
    }
    for (const node of rest) {
      await until(() => node.log.includes('cluster.peers was read anew'));
      await until(async () => (await peersUp(node)) === 2);
    }
    const replaced = await send(left, 'POST', '/api/admin/members', change);
    const members = replaced.json.members as { id: number }[];
    const expected = [...rest.map((node) => ids.get(node)), 4].sort();
    expect(members.map(({ id }) => id).sort()).toEqual(expected);
    await untilHealthy();
    await expectEverywhere(await keysAt(left));
    expect((await send(fresh, 'PUT', '/entity/c/fresh', { json: {} })).status).toBe(201);
  });

  interface Config {
    readonly cluster: { readonly peers: readonly { readonly id: number }[] };
  }

  function configPath(id: number): string {
    return join(folder, `node${id}`, 'node.json');
  }

  function configOf(id: number, known?: Config): Config {
    return known ?? (JSON.parse(readFileSync(configPath(id), 'utf8')) as Config);
  }

  async function peersUp(node: ServerProcess): Promise<number> {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    return Number(/^themis_cluster_peers_up (\d+)$/m.exec(text)?.[1]);
  }
});
