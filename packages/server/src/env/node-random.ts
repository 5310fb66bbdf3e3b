import { randomFillSync } from 'node:crypto';
import type { Random } from '@themisdb/base';

// One system call fills numbers for a thousand draws.
const pool: Uint32Array<ArrayBuffer> = new Uint32Array(1024);
let used: number = pool.length;

function nextU32(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const value = pool[used]!;
  // What was handed out is not kept: a later heap dump must not show it.
  pool[used++] = 0;
  return value;
}

/** Numbers from the operating system's secure generator. */
export const nodeRandom: Random = {
  u32: nextU32,
  float: () => ((nextU32() >>> 5) * 67_108_864 + (nextU32() >>> 6)) / 9_007_199_254_740_992,
  bytes: (length) => randomFillSync(new Uint8Array(length)),
};
