import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { freePort } from './themis.ts';

/** A private PostgreSQL: own folder, own port, fsync and synchronous_commit on. */
export interface Postgres {
  readonly version: string;
  readonly pool: pg.Pool;
  copyFile(table: string, path: string): void;
  stop(): Promise<void>;
}

function binaries(): string | undefined {
  const base = '/usr/lib/postgresql';
  if (!existsSync(base)) return undefined;
  const [newest] = readdirSync(base).sort((a, b) => Number(b) - Number(a));
  const folder = join(base, newest ?? '', 'bin');
  return existsSync(join(folder, 'initdb')) ? folder : undefined;
}

/** PostgreSQL refuses to run as root, so root hands the folder to the package's own user. */
function asUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres']).toString());
  return { uid: id('-u'), gid: id('-g') };
}

/** Undefined, with the reason printed, where PostgreSQL is not installed. */
export async function startPostgres(folder: string): Promise<Postgres | undefined> {
  const bin = binaries();
  if (bin === undefined) {
    console.log('PostgreSQL is not installed (Debian package postgresql-15): measured without it.');
    return undefined;
  }
  const user = asUser();
  mkdirSync(folder, { recursive: true });
  if (user.uid !== undefined) {
    chownSync(folder, user.uid, user.gid!);
    // That user has to get through the folder above, which is ours alone.
    chmodSync(dirname(folder), 0o711);
  }
  chmodSync(folder, 0o700);
  const data = join(folder, 'data');
  const options = { ...user, cwd: folder, stdio: 'ignore' as const };
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'bench', '-E', 'UTF8'],
    options,
  );
  const port = await freePort();
  const settings = [
    'fsync=on',
    'synchronous_commit=on',
    'shared_buffers=1GB',
    'max_wal_size=4GB',
    'max_connections=200',
  ];
  const child = spawn(
    join(bin, 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-k',
      folder,
      ...settings.flatMap((s) => ['-c', s]),
    ],
    options,
  );
  const address = { host: '127.0.0.1', port, user: 'bench', database: 'postgres' };
  const version = await untilReady(address);
  const pool = new pg.Pool({ ...address, max: 64 });
  // Connections that are cut when the server stops report it here; queries report their own errors.
  pool.on('error', () => undefined);
  return {
    version,
    pool,
    copyFile: (table, path) => {
      const copy = `\\copy ${table}(doc) from '${path}' with (format csv, quote e'\\x01', delimiter e'\\x02')`;
      execFileSync('psql', [
        '-q',
        '-h',
        address.host,
        '-p',
        String(port),
        '-U',
        address.user,
        '-d',
        address.database,
        '-c',
        copy,
      ]);
    },
    stop: async () => {
      await pool.end();
      child.kill('SIGINT');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function untilReady(address: pg.ClientConfig): Promise<string> {
  for (let i = 0; ; i++) {
    const client = new pg.Client(address);
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
      await client.end();
      return rows[0]!.server_version;
    } catch (error) {
      if (i > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
