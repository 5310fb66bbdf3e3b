import { expect, test } from 'vitest';
import type { Change, ChangesRequest } from '../contract/store.ts';
import { doc, idOf, withStore, write } from '../testing/test-store.ts';

const start = { index: 0, n: 0 };

function brief({ operation, collection, document, previousVersion }: Change): unknown {
  return [operation, collection, document?.['n'], previousVersion !== undefined];
}

test('changes come in order, with their documents, and go on from a token', async () => {
  await withStore(1, async ({ store }) => {
    const a = await store.createCollection('default', { name: 'a' });
    const b = await store.createCollection('other', { name: 'b' });
    await write(store, (t) => t.insert(a, doc({ _key: 'x', n: 1 })));
    await write(store, async (t) => {
      await t.update(a, idOf(a, 'x'), doc({ n: 2 }));
      await t.insert(b, doc({ _key: 'y', n: 3 }));
    });
    await write(store, (t) => t.remove(a, idOf(a, 'x')));
    await store.truncateCollection(b);
    await store.dropCollection(b);
    const all = await store.readChanges({ after: start, limit: 100 });
    expect(all.changes.map(brief)).toEqual([
      ['insert', 'a', 1, false],
      ['update', 'a', 2, true],
      ['insert', 'b', undefined, false],
      ['remove', 'a', undefined, true],
      ['truncate', 'b', undefined, false],
      ['drop', 'b', undefined, false],
    ]);
    expect(all.changes[0]!.urn).toBe(`urn:themis:document:default:a:${idOf(a, 'x')}`);
    const paged: Change[] = [];
    for (let after = start; ;) {
      const page = await store.readChanges({ after, limit: 2 });
      paged.push(...page.changes);
      if (page.changes.length === 0) break;
      after = { ...page.next };
    }
    expect(paged).toEqual(all.changes);
    const only = (request: Partial<ChangesRequest>): Promise<unknown[]> =>
      store
        .readChanges({ after: start, limit: 100, ...request })
        .then(({ changes }) => changes.map(({ operation }) => operation));
    expect(await only({ namespace: 'other' })).toEqual(['insert', 'truncate', 'drop']);
    expect(await only({ collection: 'a' })).toEqual(['insert', 'update', 'remove']);
    expect(await only({ namespace: 'other', collection: 'a' })).toEqual([]);
  });
});

test('waiting ends with a change, or with the signal', async () => {
  await withStore(2, async ({ store, env }) => {
    const a = await store.createCollection('default', { name: 'a' });
    const { signal } = new AbortController();
    await write(store, (t) => t.insert(a, doc({ n: 1 })));
    const { next } = await store.readChanges({ after: start, limit: 10 });
    await store.waitForChange(start, signal);
    const order: string[] = [];
    const waits = store.waitForChange(next, signal).then(() => order.push('woken'));
    await env.timers.sleep(10);
    order.push('write');
    await write(store, (t) => t.insert(a, doc({ n: 2 })));
    await waits;
    expect(order).toEqual(['write', 'woken']);
    const controller = new AbortController();
    const page = await store.readChanges({ after: next, limit: 10 });
    const aborted = store.waitForChange(page.next, controller.signal);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await expect(store.waitForChange(page.next, controller.signal)).rejects.toThrow('enough');
  });
});

test('a schema change does not wake those who wait for changes', async () => {
  await withStore(3, async ({ store, env }) => {
    const a = await store.createCollection('default', { name: 'a' });
    await write(store, (t) => t.insert(a, doc({ n: 1 })));
    const { next } = await store.readChanges({ after: start, limit: 10 });
    let isWoken = false;
    const wait = store
      .waitForChange(next, new AbortController().signal)
      .then(() => (isWoken = true));
    await store.createCollection('default', { name: 'b' });
    await env.timers.sleep(10);
    expect(isWoken).toBe(false);
    await write(store, (t) => t.insert(a, doc({ n: 2 })));
    await wait;
  });
});

test('trimmed changes are refused, later ones still read', async () => {
  await withStore(
    4,
    async ({ store, env }) => {
      const a = await store.createCollection('default', { name: 'a' });
      for (let n = 1; n <= 10; n++) await write(store, (t) => t.insert(a, doc({ n })));
      const token = (await store.readChanges({ after: start, limit: 4 })).next;
      await env.timers.sleep(1000);
      await write(store, (t) => t.insert(a, doc({ n: 11 })));
      await store.checkpoint();
      for (const after of [start, token])
        await expect(store.readChanges({ after, limit: 5 })).rejects.toMatchObject({
          code: 'CHANGES_TRIMMED',
        });
      const oldest = await store
        .readChanges({ after: start, limit: 1 })
        .catch((error: { details: { oldest: number } }) => error.details.oldest);
      const after = { index: oldest as number, n: 0 };
      const { changes } = await store.readChanges({ after, limit: 5 });
      expect(changes.map(({ document }) => document!['n'])).toEqual([11]);
    },
    { retention: { changesMs: 500, historyMs: 0 } },
  );
});

test('changes beyond the number kept are trimmed', async () => {
  await withStore(
    5,
    async ({ store }) => {
      const a = await store.createCollection('default', { name: 'a' });
      for (let n = 1; n <= 20; n++) await write(store, (t) => t.insert(a, doc({ n })));
      await store.checkpoint();
      await expect(store.readChanges({ after: start, limit: 5 })).rejects.toMatchObject({
        code: 'CHANGES_TRIMMED',
      });
      const after = { index: store.stats().appliedIndex - 6, n: 0 };
      expect((await store.readChanges({ after, limit: 50 })).changes.length).toBeGreaterThan(3);
    },
    { retention: { changesMax: 6 } },
  );
});
