import { hasCode } from '@themisdb/base';
import type { Replica } from '@themisdb/replication';
import type { World } from '../world/world.ts';
import { namespace } from './documents.ts';
import { Session } from './session.ts';

const longestMs = 20_000;

/** Makes and drops indexes and collections while others write. */
export async function changeSchema(world: World): Promise<void> {
  const session = new Session(world, 'schema');
  const { prng } = session;
  const perMinute = world.settings.schema;
  if (perMinute === 0) return;
  for (let n = 1; session.goesOn; n++) {
    // Cut off, or the end of a run would wait for the longest of them.
    await world.sleep(Math.min(longestMs, (-Math.log(1 - prng.float()) * 60_000) / perMinute));
    if (!session.goesOn) return;
    const what = prng.pick(['index', 'index', 'drop index', 'collection']);
    const answer = await session.write((replica) => change(replica, what, n));
    if (answer.type === 'ok') world.marks.hit(`${what} under faults`);
  }
}

async function change({ store }: Replica, what: string, n: number): Promise<void> {
  try {
    if (what === 'collection') {
      const name = `extra${n % 3}`;
      const there = store.catalog().find(namespace, name);
      if (there === undefined) await store.createCollection(namespace, { name });
      else await store.dropCollection(there);
      return;
    }
    const collection = store.catalog().find(namespace, 'bank');
    if (collection === undefined) return;
    const index = collection.indexes.find(({ state }) => state === 'ready');
    if (what === 'index')
      await store.createIndex(collection, { type: 'persistent', fields: ['balance'] });
    else if (index !== undefined) await store.dropIndex(collection, index);
  } catch (error) {
    // Another change of the schema came first.
    if (!hasCode(error, 'INDEX_NOT_FOUND', 'COLLECTION_NOT_FOUND', 'COLLECTION_EXISTS'))
      throw error;
  }
}
