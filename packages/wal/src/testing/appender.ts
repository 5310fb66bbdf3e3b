// A process that appends as fast as it can until it is killed. Each acknowledgement is a line on
// standard output: `append GROUP INDEX` or `truncate GROUP INDEX`.
import { writeSync } from 'node:fs';
import { argv } from 'node:process';
import { setInterval } from 'node:timers';
import { makeNodeEnv } from '@themisdb/server/env';
import { openWal } from '../wal.ts';

const [dataRoot, directory] = argv.slice(2);
const env = makeNodeEnv({ dataRoot: dataRoot! });
const wal = await openWal(env, {
  directory: directory!,
  segmentBytes: 262_144,
  firstSegmentBytes: 65_536,
});

/** Written at once: what was told must not die in a buffer. */
function say(what: string, group: number, index: number): void {
  for (const line = `${what} ${group} ${index}\n`; ;) {
    try {
      return void writeSync(1, line);
    } catch (error) {
      // The pipe is full; the reader is slow.
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
    }
  }
}

/** Every byte follows from group and index, so that the reader can tell. */
function payload(group: number, index: number): Uint8Array {
  return new Uint8Array((index * 37) % 700).fill((group * 31 + index) & 0xff);
}

async function appender(group: number): Promise<void> {
  for (let index = (wal.bounds(group)?.last ?? 0) + 1; ; index++) {
    await wal.append([{ group, index, term: 1, kind: 0, payload: payload(group, index) }]);
    say('append', group, index);
    if (index % 100 !== 0) continue;
    await wal.truncateBefore(group, index - 50);
    say('truncate', group, index - 50);
  }
}

for (let group = 1; group <= 16; group++) void appender(group);
// The timers of the Env keep no process alive.
setInterval(() => {}, 60_000);
