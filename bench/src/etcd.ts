import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@themisdb/testing/server-process';

export class EtcdMember {
  /** host:port of its clients. */
  readonly endpoint: string;
  readonly #flags: readonly string[];
  #process: ChildProcess;

  constructor(endpoint: string, flags: readonly string[]) {
    this.endpoint = endpoint;
    this.#flags = flags;
    this.#process = spawn('etcd', flags, { stdio: 'ignore' });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    this.#process.kill(signal);
    await once(this.#process, 'exit');
  }

  restart(): void {
    this.#process = spawn('etcd', this.#flags, { stdio: 'ignore' });
  }

  async untilHealthy(): Promise<void> {
    for (let i = 0; i < 300; i++) {
      if (!this.isRunning) throw new Error('a member of etcd ended');
      try {
        const answer = await fetch(`http://${this.endpoint}/health`);
        if (((await answer.json()) as { health: string }).health === 'true') return;
      } catch {
        // Not listening yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('etcd was not healthy within 30 s');
  }
}

/** A private etcd as Debian ships it, all settings but ports and folders as they come: fsync is on. */
export interface Etcd {
  readonly version: string;
  readonly members: readonly EtcdMember[];
  leader(): Promise<EtcdMember>;
  stop(): Promise<void>;
}

/** Undefined, with the reason printed, where etcd is not installed. */
export async function startEtcd(folder: string, count: number): Promise<Etcd | undefined> {
  const version = installedVersion();
  if (version === undefined) {
    console.log('etcd is not installed (Debian package etcd-server): measured without it.');
    return undefined;
  }
  mkdirSync(folder, { recursive: true });
  const ports = await freePorts(2 * count);
  const peerUrl = (n: number): string => `http://127.0.0.1:${ports[2 * n + 1]}`;
  const cluster = Array.from({ length: count }, (_, n) => `m${n}=${peerUrl(n)}`).join(',');
  const members = Array.from({ length: count }, (_, n) => {
    const endpoint = `127.0.0.1:${ports[2 * n]}`;
    const settings = {
      name: `m${n}`,
      'data-dir': join(folder, `m${n}`),
      'listen-client-urls': `http://${endpoint}`,
      'advertise-client-urls': `http://${endpoint}`,
      'listen-peer-urls': peerUrl(n),
      'initial-advertise-peer-urls': peerUrl(n),
      'initial-cluster': cluster,
      'initial-cluster-token': 'bench',
      logger: 'zap',
      'log-level': 'panic',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    return new EtcdMember(endpoint, flags);
  });
  await Promise.all(members.map((member) => member.untilHealthy()));
  return {
    version,
    members,
    leader: () => leaderOf(members),
    stop: async () => {
      await Promise.all(members.map((member) => member.end('SIGTERM')));
    },
  };
}

function installedVersion(): string | undefined {
  try {
    const text = execFileSync('etcd', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
    return /Version: (\S+)/.exec(text.toString())?.[1];
  } catch {
    return undefined;
  }
}

interface Status {
  readonly header: { readonly member_id: string };
  readonly leader?: string;
}

async function leaderOf(members: readonly EtcdMember[]): Promise<EtcdMember> {
  for (const member of members) {
    if (!member.isRunning) continue;
    const answer = await fetch(`http://${member.endpoint}/v3/maintenance/status`, {
      method: 'POST',
      body: '{}',
    });
    const status = (await answer.json()) as Status;
    if (status.leader === status.header.member_id) return member;
  }
  throw new Error('no member of etcd leads');
}
