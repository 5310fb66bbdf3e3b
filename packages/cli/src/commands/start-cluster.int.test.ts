import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeServerCluster } from '@themisdb/testing/server-cluster';
import { freePorts, ServerProcess } from '@themisdb/testing/server-process';
import {
  isCommandBuilt,
  peersUp,
  rolesOf,
  send,
  stopLeaderUnderWrites,
  until,
  untilHealthy,
  Writer,
} from '../testing/processes.ts';

/** On a busy machine a leader may stand still for a while; one that died is noticed by its connections. */
const variables = { THEMIS_CLUSTER_ELECTION_MS: '2000' };

describe.skipIf(!isCommandBuilt())('three processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-three-'));
  let nodes: ServerProcess[];

  beforeAll(async () => {
    nodes = await makeServerCluster({ folder, nodes: 3, variablesOf: () => variables });
    for (const node of nodes) node.start();
    await untilHealthy(nodes);
    const made = await send(nodes[0]!, 'POST', '/collections', { json: { name: 'c' } });
    expect(made.status, JSON.stringify(made.json)).toBe(201);
  });
  afterAll(async () => {
    for (const node of nodes) node.signal('SIGCONT');
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

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
    const [leader, other, lone] = await rolesOf(nodes);
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
    await untilHealthy(nodes);
  });

  test('a leader that hears of no other acknowledges nothing', async () => {
    const [leader, ...others] = await rolesOf(nodes);
    for (const node of others) node.signal('SIGSTOP');
    const headers = { 'x-request-timeout': '300' };
    const put = await send(leader, 'PUT', '/entity/c/alone', { json: {}, headers });
    for (const node of others) node.signal('SIGCONT');
    expect([put.status, put.json.error?.code]).toEqual([503, 'UNKNOWN_OUTCOME']);
    await untilHealthy(nodes);
  });

  test('a leader that is killed takes nothing acknowledged with it, and others go on', async () => {
    const [leader, ...others] = await rolesOf(nodes);
    const writers = others.map((node, n) => new Writer(node, `kill${n}`));
    await Promise.all(writers.map((writer) => writer.untilMore(20)));
    await leader.kill();
    await Promise.all(writers.map((writer) => writer.untilMore(10)));
    leader.start();
    await Promise.all(writers.map((writer) => writer.untilMore(10)));
    await untilHealthy(nodes);
    await Promise.all(writers.map((writer) => writer.stop()));
    await expectEverywhere(writers.flatMap(({ acknowledged }) => acknowledged));
  });

  test('a leader that is told to stop hands over, and no write is refused', async () => {
    const { exitCode, writers } = await stopLeaderUnderWrites(nodes);
    expect(exitCode).toBe(0);
    expect(writers.flatMap(({ refused }) => refused)).toEqual([]);
    await expectEverywhere(writers.flatMap(({ acknowledged }) => acknowledged));
  });

  test('a node that is gone for good is replaced, once the peers were read anew', async () => {
    const [, left, gone] = await rolesOf(nodes);
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
    await untilHealthy(nodes);
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
});
