import { expect, test } from 'vitest';
import { doc, withStore, write } from '../testing/test-store.ts';

const answer = { fingerprint: 'PUT /x', body: doc({ ok: true }) };

test('an answer is found after its commit, and only then', async () => {
  await withStore(1, async ({ store }) => {
    const a = await store.createCollection('default', { name: 'a' });
    const t = store.begin();
    await t.insert(a, doc({ n: 1 }));
    t.rememberAnswer('key', answer);
    expect(await store.findAnswer('key')).toBeUndefined();
    t.rollback();
    expect(await store.findAnswer('key')).toBeUndefined();
    await write(store, async (u) => u.rememberAnswer('key', answer));
    expect(await store.findAnswer('key')).toMatchObject(answer);
    expect(await store.findAnswer('other')).toBeUndefined();
  });
});

test('the same key is carried out once: at the same time, and one after the other', async () => {
  await withStore(2, async ({ store }) => {
    const [a, b] = [store.begin(), store.begin()];
    a.rememberAnswer('key', answer);
    b.rememberAnswer('key', answer);
    const results = await Promise.allSettled([a.commit(), b.commit()]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'WRITE_CONFLICT' });
    const c = store.begin();
    c.rememberAnswer('key', answer);
    await expect(c.commit()).rejects.toMatchObject({ code: 'WRITE_CONFLICT' });
    const d = store.begin();
    d.rememberAnswer('key', { ...answer, fingerprint: 'another request' });
    await expect(d.commit()).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    expect(store.stats().transactionsOpen).toBe(0);
  });
});

test('answers expire; a key may be used again then, and the new answer outlives the cleaning', async () => {
  await withStore(3, async ({ store, env }) => {
    const day = 86_400_000;
    await write(store, async (t) => t.rememberAnswer('old', answer));
    await write(store, async (t) => t.rememberAnswer('again', answer));
    await env.timers.sleep(day + 1000);
    expect(await store.findAnswer('old')).toBeUndefined();
    const second = { fingerprint: 'second', body: null };
    await write(store, async (t) => t.rememberAnswer('again', second));
    await store.checkpoint();
    expect(await store.findAnswer('again')).toMatchObject(second);
    const { keys, engine } = store.context;
    const left: number[] = [];
    for await (const batch of engine.scan({ gte: keys.whole(10), lt: keys.whole(11) }))
      left.push(batch.length);
    expect(left).toEqual([2]);
  });
});

test.each(['', 'x'.repeat(1025)])('a key of %# is refused', async (key) => {
  await withStore(4, async ({ store }) => {
    const t = store.begin();
    expect(() => t.rememberAnswer(key, answer)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD' }),
    );
    t.rollback();
  });
});

test('a transaction finds the answers of its snapshot, and conflicts with one that came later', () =>
  withStore(4, async ({ store }) => {
    await write(store, async (t) => t.rememberAnswer('early', answer));
    const [a, b] = [store.begin(), store.begin()];
    expect(await a.findAnswer('early')).toMatchObject(answer);
    expect(await a.findAnswer('late')).toBeUndefined();
    expect(await b.findAnswer('late')).toBeUndefined();
    a.rememberAnswer('late', answer);
    await a.commit();
    expect(await b.findAnswer('late')).toBeUndefined();
    b.rememberAnswer('late', answer);
    await expect(b.commit()).rejects.toMatchObject({ code: 'WRITE_CONFLICT' });
    const c = store.begin();
    expect(await c.findAnswer('late')).toMatchObject({ ...answer, timestamp: store.lastCommit });
    c.rollback();
  }));
