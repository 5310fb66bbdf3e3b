import { Prng } from '@themisdb/base';
import { makeSimEnv, type SimEnv, type SimEnvOptions } from '@themisdb/testing';
import type { Wal, WalRecord } from '../contract.ts';
import { openWal, type WalOptions } from '../wal.ts';

export const folder = 'log';

/** A record whose payload follows from its group, index and term. */
export function record(group: number, index: number, term = 1, bytes = 20): WalRecord {
  const payload = new Prng(group * 1_000_003 + index * 31 + term).bytes(bytes);
  return { group, index, term, kind: index % 256, payload };
}

export function records(group: number, first: number, last: number, bytes = 20): WalRecord[] {
  return Array.from({ length: last - first + 1 }, (_, i) => record(group, first + i, 1, bytes));
}

export async function collect(wal: Wal, group: number, from?: number): Promise<WalRecord[]> {
  const out: WalRecord[] = [];
  for await (const batch of wal.replay(group, from)) {
    for (const one of batch) out.push({ ...one, payload: one.payload.slice() });
  }
  return out;
}

/** Small segments, so that a test sees several. */
export function open(env: SimEnv, options: Partial<WalOptions> = {}): Promise<Wal> {
  return openWal(env, {
    directory: folder,
    segmentBytes: 16_384,
    firstSegmentBytes: 16_384,
    ...options,
  });
}

/** Runs a body on a fresh simulated node. */
export function onNode(
  body: (env: SimEnv) => Promise<void>,
  options: SimEnvOptions = {},
): () => Promise<void> {
  return () => {
    const env = makeSimEnv(1, options);
    return env.run(() => body(env));
  };
}

/** Waits until what goes on in the background is done. */
export function settle(env: SimEnv): Promise<void> {
  return env.timers.sleep(100);
}

export function segmentFiles(env: SimEnv): string[] {
  return env.disk
    .files()
    .map(({ path }) => path)
    .sort();
}
