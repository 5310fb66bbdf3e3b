import { expect } from 'vitest';
import { objectFrom, toHex, type ValueObject } from '@themisdb/base';
import { uuidOfKey } from '@themisdb/protocol';
import { verify, type CollectionInfo, type Store } from '@themisdb/storage';
import type { Replica } from '../contract.ts';
import type { OpenReplicaOptions } from '../open.ts';
import { SimGroup } from './sim-group.ts';

export const strong = { type: 'strong' } as const;
export const soon = { timeoutMs: 10_000 };

function doc(attributes: Record<string, unknown>): ValueObject {
  return objectFrom(attributes as never);
}

function collectionOf(store: Store): CollectionInfo {
  return store.catalog().find('default', 'c')!;
}

export async function makeCollection({ store }: Replica): Promise<CollectionInfo> {
  const c = await store.createCollection('default', { name: 'c' });
  await store.createIndex(c, { type: 'persistent', fields: ['n'] });
  return c;
}

export async function put({ store }: Replica, key: string, n: number): Promise<bigint> {
  const t = store.begin();
  const c = collectionOf(store);
  try {
    const uuid = uuidOfKey(c.uuidNamespace, key);
    const there = await t.get(c, uuid);
    if (there === undefined) await t.insert(c, doc({ _key: key, n }));
    else await t.update(c, uuid, doc({ n }));
    return await t.commit();
  } finally {
    t.rollback();
  }
}

export async function get({ store }: Replica, key: string): Promise<unknown> {
  const t = store.begin({ readOnly: true });
  try {
    const c = collectionOf(store);
    return (await t.get(c, uuidOfKey(c.uuidNamespace, key)))?.document()['n'];
  } finally {
    t.rollback();
  }
}

/** Replicas 1 to 3, one of them leading a collection with an index and one entity in it. */
export async function withTrio(
  seed: number,
  body: (group: SimGroup, leader: Replica) => Promise<void>,
  options: Partial<OpenReplicaOptions> = {},
): Promise<void> {
  const group = new SimGroup(seed, options);
  await group.run(async () => {
    await group.start([1, 2, 3]);
    const leader = await group.leader();
    await makeCollection(leader);
    await put(leader, 'k', 1);
    await body(group, leader);
  });
}

/** Once all have applied the same, they hold the same, and are sound in themselves. */
export async function expectEqual(group: SimGroup, ids: readonly number[]): Promise<void> {
  const leader = await group.leader();
  await group.until(() => {
    const { appliedIndex } = leader.status();
    return ids.every((id) => group.replica(id).status().appliedIndex === appliedIndex);
  });
  const states = await Promise.all(ids.map((id) => stateOf(group, id)));
  for (const state of states) expect(state).toEqual(states[0]);
  for (const id of ids) expect((await verify(group.replica(id).store)).faults).toEqual([]);
}

/** All keys but this node's own statistics. */
async function stateOf(group: SimGroup, id: number): Promise<Map<string, string>> {
  const state = new Map<string, string>();
  for await (const batch of group.member(id).engine.scan({})) {
    for (const { key, value } of batch) {
      if (key[4] === 1 && key[5] === 's'.charCodeAt(0)) continue;
      state.set(toHex(key), toHex(value));
    }
  }
  return state;
}
