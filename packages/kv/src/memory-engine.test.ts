import { Prng, utf8Encode } from '@themisdb/base';
import { runKvContract } from '@themisdb/testing/kv-contract';
import { expect, test } from 'vitest';
import { makeMemoryEngine } from './memory-engine.ts';

const bytes = utf8Encode;

runKvContract('the memory engine', async () => {
  const engine = makeMemoryEngine();
  return { engine, dispose: () => engine.close() };
});

test('a crash keeps everything up to the flush and a prefix of what came later', async () => {
  const survivors = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    const engine = makeMemoryEngine({ crashable: true });
    for (let i = 0; i < 8; i++) {
      await engine.write([
        { type: 'put', key: bytes(`key${i}`), value: bytes('1') },
        { type: 'put', key: bytes('count'), value: Uint8Array.of(i + 1) },
      ]);
      if (i === 3) await engine.flush();
    }
    const back = engine.crash(new Prng(seed));
    const count = (await back.get(bytes('count')))![0]!;
    survivors.add(count);
    for (let i = 0; i < 8; i++) {
      expect((await back.get(bytes(`key${i}`))) !== undefined).toBe(i < count);
    }
    await expect(engine.get(bytes('count'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
  }
  expect([...survivors].sort()).toEqual([4, 5, 6, 7, 8]);
});
