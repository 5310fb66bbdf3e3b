import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import { themisError } from '@themisdb/protocol';
import { openWal, type Wal } from '@themisdb/wal';
import { expect, test } from 'vitest';
import { membersOf } from './members-of.ts';
import { ReplicaLog } from './replica-log.ts';

const confState = membersOf([1, 2, 3]);
const stateGroup = (1 | 0x8000_0000) >>> 0;

function openLog(
  env: SimEnv,
  wal: Wal,
  options: { readonly nodeId?: number; readonly applied?: number } = {},
): Promise<ReplicaLog> {
  return ReplicaLog.open({
    env,
    wal,
    shard: 1,
    nodeId: options.nodeId ?? 1,
    applied: () => ({ index: options.applied ?? 0, term: 1, timestamp: 0n }),
    confState: () => confState,
    isRebuilding: false,
    snapshot: () => undefined,
  });
}

/** A log whose state records find no space where `isFull` says so. */
async function withFullDisk(
  isFull: (index: number) => boolean,
  body: (log: ReplicaLog, env: SimEnv) => Promise<void>,
): Promise<{ before: ReplicaLog; after: ReplicaLog }> {
  const env = makeSimEnv(3);
  return env.run(async () => {
    const wal = await openWal(env, { directory: 'wal', segmentBytes: 64 * 1024 });
    const append = wal.append.bind(wal);
    wal.append = async (records) => {
      const { group, index } = records[0]!;
      if (group === stateGroup && isFull(index))
        throw themisError('DISK_FULL', { message: 'planted' });
      return append(records);
    };
    const before = await openLog(env, wal);
    await body(before, env);
    env.crash();
    const again = await openWal(env, { directory: 'wal', segmentBytes: 64 * 1024 });
    return { before, after: await openLog(env, again) };
  });
}

test('old states are kept while a newer one finds no space', async () => {
  const isFull = (index: number): boolean => index > 64;
  const { before, after } = await withFullDisk(isFull, async (log, env) => {
    for (let term = 1; term <= 62; term++) await log.append([], { term, vote: 1 });
    const last = log.append([], { term: 63, vote: 2 });
    void log.saveState({ peers: new Map([[2, 5]]) }).catch(() => undefined);
    await last;
    await env.timers.sleep(50);
  });
  expect(after.state).toMatchObject({ incarnation: before.state.incarnation, term: 63, vote: 2 });
});

test('what waited for space does not come behind a later vote', async () => {
  let refused = 0;
  const isFull = (index: number): boolean => index === 2 && refused++ === 0;
  const { after } = await withFullDisk(isFull, async (log) => {
    const waiting = log.saveState({ peers: new Map([[2, 5]]) });
    await log.append([], { term: 7, vote: 3 });
    await waiting;
  });
  expect(after.state).toMatchObject({ term: 7, vote: 3 });
  expect(after.state.peers.get(2)).toBe(5);
});

test.each([
  { nodeId: 2, applied: 2, code: 'CONFIG_INVALID' },
  // The log holds 3 to 5.
  { nodeId: 1, applied: 1, code: 'LOG_CORRUPT' },
  { nodeId: 1, applied: 6, code: 'LOG_CORRUPT' },
  { nodeId: 1, applied: 2, code: undefined },
  { nodeId: 1, applied: 5, code: undefined },
])('a log that belongs to another node or state is not opened: $code', (wanted) => {
  const env = makeSimEnv(4);
  return env.run(async () => {
    const wal = await openWal(env, { directory: 'wal', segmentBytes: 64 * 1024 });
    const log = await openLog(env, wal);
    const entries = [1, 2, 3, 4, 5].map((index) => {
      return { index, term: 1, type: undefined, data: undefined };
    });
    await log.append([entries], { term: 1, vote: 1 });
    await log.truncateBefore(3);
    const again = openLog(env, wal, wanted);
    if (wanted.code === undefined) expect((await again).lastIndex()).toBe(5);
    else await expect(again).rejects.toMatchObject({ code: wanted.code });
  });
});
