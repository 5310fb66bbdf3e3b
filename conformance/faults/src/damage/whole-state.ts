import { isThemisError } from '@themisdb/base';
import { openRocksDB } from '@themisdb/kv-rocksdb';

/** Reads every record in the state of a server that does not run. What is damaged; undefined when nothing is. */
export async function scanState(folder: string): Promise<string | undefined> {
  try {
    const engine = await openRocksDB({ path: folder, cacheBytes: 0 });
    try {
      for await (const _ of engine.scan({}, { batchEntries: 1000 }));
      return undefined;
    } finally {
      await engine.close();
    }
  } catch (error) {
    if (isThemisError(error) && error.code === 'DATA_CORRUPT') return error.message;
    throw error;
  }
}
