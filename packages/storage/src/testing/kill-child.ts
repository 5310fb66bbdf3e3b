// A process that writes to a store on RocksDB and the real disk until it is killed. Each attempt and
// each acknowledgement is a line on standard output: `attempt GROUP N`, `acknowledge GROUP N`.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { setInterval } from 'node:timers';
import { Prng } from '@themisdb/base';
import { openRocksDB } from '@themisdb/kv-rocksdb';
import { makeNodeEnv } from '@themisdb/server/env';
import { openWal } from '@themisdb/wal';
import { openStore } from '../open.ts';
import type { ShardStore } from '../store.ts';
import { CrashWorkload } from './crash-workload.ts';
import { killOptions } from './kill-options.ts';

const [dataRoot, seed] = argv.slice(2);
const env = makeNodeEnv({ dataRoot: dataRoot! });
const engine = await openRocksDB({ path: join(dataRoot!, 'db') });
const wal = await openWal(env, killOptions.wal);
const store = (await openStore({ env, engine, wal, ...killOptions.store })) as ShardStore;
const workload = new CrashWorkload(new Prng(BigInt(seed!)), killOptions.groups, say);
if (store.catalog().find('default', 'c') === undefined) await workload.prepare(store);
await workload.resume(store);
for (const worker of workload.start(store, env)) void worker;
// The timers of the Env keep no process alive.
setInterval(() => {}, 60_000);

/** Written at once: what was told must not die in a buffer. */
function say(event: string, group: number, n: number): void {
  for (const line = `${event} ${group} ${n}\n`; ;) {
    try {
      return void writeSync(1, line);
    } catch (error) {
      // The pipe is full; the reader is slow.
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
    }
  }
}
