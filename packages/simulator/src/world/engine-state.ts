import { crc32c } from '@themisdb/base';
import type { KvEngine } from '@themisdb/kv';

const metaSpace = 1;
const letter = (text: string): number => text.charCodeAt(0);

/**
 * A hash over all keys but this node's own statistics, and the applied index it stands for. Awaits nothing
 * but the memory engine, so that no virtual time passes.
 */
export async function stateOf(engine: KvEngine): Promise<{ index: number; hash: number }> {
  let hash = 0;
  let index = 0;
  for await (const batch of engine.scan({}, { batchEntries: 4096 })) {
    for (const { key, value } of batch) {
      if (key[4] === metaSpace && key[5] === letter('s')) continue;
      if (key[4] === metaSpace && key[5] === letter('a')) index = indexIn(value);
      hash = crc32c(value, 0, value.length, crc32c(key, 0, key.length, hash));
    }
  }
  return { index, hash };
}

/** `[crc32c u32][index u64]…`: `log/applied.ts` of storage. */
function indexIn(value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Number(view.getBigUint64(4));
}
