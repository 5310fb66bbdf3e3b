import { hasCode } from '@themisdb/base';
import { Session } from '../work/session.ts';
import { namespace } from '../work/documents.ts';
import type { World } from '../world/world.ts';

/** Makes the collections, before any fault. */
export async function prepare(world: World, collections: readonly string[]): Promise<void> {
  const session = new Session(world, 'prepare');
  for (const name of collections) {
    for (let isThere = false; !isThere;) {
      const answer = await session.write(async ({ store }) => {
        if (store.catalog().find(namespace, name) !== undefined) return;
        // An attempt that nobody answered may have come first.
        await store.createCollection(namespace, { name }).catch((error: unknown) => {
          if (!hasCode(error, 'COLLECTION_EXISTS')) throw error;
        });
      });
      isThere = answer.type === 'ok';
      await world.sleep(50);
    }
  }
}
