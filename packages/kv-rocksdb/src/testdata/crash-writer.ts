import { utf8Encode } from '@themisdb/base';
import { openRocksDB } from '../rocksdb-engine.ts';

/**
 * Writes numbered batches for ever, five under way at a time, and prints the number of each one that
 * resolved. Batch n puts `n` under `count`, and rows `n:a` and `n:b`; batch 50 is followed by a flush.
 */
const engine = await openRocksDB({ path: process.argv[2]! });
let next = 1;

async function writeOn(): Promise<void> {
  for (;;) {
    const n = next++;
    await engine.write([
      { type: 'put', key: utf8Encode(`${n}:a`), value: new Uint8Array(200).fill(n) },
      { type: 'put', key: utf8Encode('count'), value: utf8Encode(String(n)) },
      { type: 'put', key: utf8Encode(`${n}:b`), value: new Uint8Array(200).fill(n) },
    ]);
    if (n === 50) await engine.flush();
    process.stdout.write(`${n}\n`);
  }
}

await Promise.all(Array.from({ length: 5 }, writeOn));
