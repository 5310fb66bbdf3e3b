import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findLeader } from '@themisdb/testing/server-cluster';
import type { ServerProcess } from '@themisdb/testing/server-process';

/** Whether the command is there that `ServerProcess` runs. Says so when it is not. */
export function isCommandBuilt(): boolean {
  const isBuilt = existsSync(fileURLToPath(new URL('../../dist/bin/themis.js', import.meta.url)));
  if (!isBuilt) console.warn('server processes: not tested, the command is not built (npx tsc -b)');
  return isBuilt;
}

export interface Answer {
  readonly status: number;
  readonly token: string;
  // Answers are looked into by tests of all kinds.
  // eslint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface Sent {
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function send(
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

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await sleep(10);
}

/** Writes new documents at a node, one after the other, and keeps which were acknowledged. */
export class Writer {
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

/** Every one ready, and one of them leading. */
export async function untilHealthy(nodes: readonly ServerProcess[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.untilReady({ timeoutMs: 60_000 })));
  await until(async () => (await findLeader(nodes)) !== undefined);
}

export type Roles = [leader: ServerProcess, one: ServerProcess, other: ServerProcess];

/** Of three. */
export async function rolesOf(nodes: readonly ServerProcess[]): Promise<Roles> {
  const leader = nodes[(await findLeader(nodes))!]!;
  return [leader, ...nodes.filter((node) => node !== leader)] as Roles;
}

export async function peersUp(node: ServerProcess): Promise<number> {
  const text = await (await fetch(`${node.url}/metrics`)).text();
  return Number(/^themis_cluster_peers_up (\d+)$/m.exec(text)?.[1]);
}

/**
 * The leader is told to stop while the others are written to, and is started again when they go on. What the
 * writers saw, and how the leader ended.
 */
export async function stopLeaderUnderWrites(
  nodes: readonly ServerProcess[],
): Promise<{ readonly exitCode: number | null | undefined; readonly writers: readonly Writer[] }> {
  const [leader, ...others] = await rolesOf(nodes);
  const writers = others.map((node, n) => new Writer(node, `stop${n}`));
  await Promise.all(writers.map((writer) => writer.untilMore(20)));
  await leader.stop();
  const { exitCode } = leader;
  await Promise.all(writers.map((writer) => writer.untilMore(10)));
  leader.start();
  await untilHealthy(nodes);
  await Promise.all(writers.map((writer) => writer.stop()));
  return { exitCode, writers };
}
