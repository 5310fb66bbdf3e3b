import { describe, expect, test } from 'vitest';
import type { CollectionInfo, IndexInfo } from '../contract/catalog.ts';
import type { Isolation, Transaction } from '../contract/transaction.ts';
import type { ShardStore } from '../store.ts';
import { allOf, doc, idOf, withStore, write } from '../testing/test-store.ts';

// The anomalies of Berenson et al., "A Critique of ANSI SQL Isolation Levels" (1995), each tried.

interface Bank {
  readonly store: ShardStore;
  readonly accounts: CollectionInfo;
  readonly byOwner: IndexInfo;
  begin(): Transaction;
}

function withBank(isolation: Isolation, body: (bank: Bank) => Promise<void>): Promise<void> {
  return withStore(7, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'accounts' });
    const byOwner = await store.createIndex(made, { type: 'persistent', fields: ['owner'] });
    const accounts = store.catalog().byId(made.id)!;
    await write(store, (t) =>
      t.insertMany(accounts, [
        doc({ _key: 'x', owner: 'ann', amount: 50 }),
        doc({ _key: 'y', owner: 'ann', amount: 50 }),
      ]),
    );
    await body({ store, accounts, byOwner, begin: () => store.begin({ isolation }) });
  });
}

async function amount(t: Transaction, { accounts }: Bank, key: string): Promise<number> {
  return (await t.get(accounts, idOf(accounts, key)))!.document()['amount'] as number;
}

function setAmount(t: Transaction, { accounts }: Bank, key: string, to: number): Promise<unknown> {
  return t.update(accounts, idOf(accounts, key), doc({ amount: to }));
}

const conflict = { code: 'WRITE_CONFLICT', retryable: true };

describe.each(['serializable', 'snapshot'] as const)('%s', (isolation) => {
  test('dirty read: an uncommitted write is not seen', () =>
    withBank(isolation, async (bank) => {
      const [a, b] = [bank.begin(), bank.begin()];
      await setAmount(a, bank, 'x', 0);
      expect(await amount(b, bank, 'x')).toBe(50);
      a.rollback();
      expect(await amount(b, bank, 'x')).toBe(50);
      b.rollback();
    }));

  test('lost update: the second committer is refused', () =>
    withBank(isolation, async (bank) => {
      const [a, b] = [bank.begin(), bank.begin()];
      await setAmount(a, bank, 'x', (await amount(a, bank, 'x')) + 10);
      await setAmount(b, bank, 'x', (await amount(b, bank, 'x')) + 20);
      await a.commit();
      await expect(b.commit()).rejects.toMatchObject(conflict);
      const t = bank.begin();
      expect(await amount(t, bank, 'x')).toBe(60);
      t.rollback();
    }));

  test('read skew: both reads see one state', () =>
    withBank(isolation, async (bank) => {
      const [a, b] = [bank.begin(), bank.begin()];
      expect(await amount(a, bank, 'x')).toBe(50);
      await setAmount(b, bank, 'x', 10);
      await setAmount(b, bank, 'y', 90);
      await b.commit();
      expect(await amount(a, bank, 'y')).toBe(50);
      await a.commit();
    }));

  test('two inserts of one key: the second is refused', () =>
    withBank(isolation, async (bank) => {
      const [a, b] = [bank.begin(), bank.begin()];
      await a.insert(bank.accounts, doc({ _key: 'z' }));
      await b.insert(bank.accounts, doc({ _key: 'z' }));
      await a.commit();
      await expect(b.commit()).rejects.toMatchObject(conflict);
    }));

  test('two inserts of one unique value: the second is refused', () =>
    withBank(isolation, async (bank) => {
      const spec = { type: 'persistent', fields: ['iban'], unique: true, sparse: true } as const;
      await bank.store.createIndex(bank.accounts, spec);
      const [a, b] = [bank.begin(), bank.begin()];
      await a.insert(bank.accounts, doc({ _key: 'p', iban: 1 }));
      await b.insert(bank.accounts, doc({ _key: 'q', iban: 1 }));
      await a.commit();
      await expect(b.commit()).rejects.toMatchObject(conflict);
    }));

  test('a transaction that computed entries before an index was made is refused', () =>
    withBank(isolation, async (bank) => {
      const a = bank.begin();
      await a.insert(bank.accounts, doc({ _key: 'p', iban: 1 }));
      await bank.store.createIndex(bank.accounts, { type: 'persistent', fields: ['iban'] });
      await expect(a.commit()).rejects.toMatchObject(conflict);
    }));

  test('truncation conflicts with a write that began before', () =>
    withBank(isolation, async (bank) => {
      const a = bank.begin();
      await setAmount(a, bank, 'x', 1);
      await bank.store.truncateCollection(bank.accounts);
      await expect(a.commit()).rejects.toMatchObject(conflict);
    }));
});

/** Both may go below zero alone, but not the sum: each checks the sum, then takes from its own. */
async function writeSkew(bank: Bank, sum: (t: Transaction) => Promise<number>): Promise<unknown[]> {
  const [a, b] = [bank.begin(), bank.begin()];
  if ((await sum(a)) >= 100) await setAmount(a, bank, 'x', -50);
  if ((await sum(b)) >= 100) await setAmount(b, bank, 'y', -50);
  const results = await Promise.allSettled([a.commit(), b.commit()]);
  return results.map((result) =>
    result.status === 'fulfilled' ? 'committed' : (result.reason as { code: string }).code,
  );
}

const sums: Record<string, (bank: Bank) => (t: Transaction) => Promise<number>> = {
  'by keys': (bank) => async (t) => (await amount(t, bank, 'x')) + (await amount(t, bank, 'y')),
  'by a scan': (bank) => async (t) =>
    (await allOf(t.scan(bank.accounts))).reduce(
      (s, r) => s + (r.document()['amount'] as number),
      0,
    ),
  'by an index and keys': (bank) => async (t) => {
    const entries = await allOf(t.scanIndex(bank.accounts, bank.byOwner, { equal: ['ann'] }));
    const records = await t.getMany(
      bank.accounts,
      entries.map(({ uuid }) => uuid),
    );
    return records.reduce((s, r) => s + (r!.document()['amount'] as number), 0);
  },
};

test.each(Object.keys(sums))('write skew with reads %s: refused when serializable', (kind) =>
  withBank('serializable', async (bank) => {
    expect(await writeSkew(bank, sums[kind]!(bank))).toEqual(['committed', 'WRITE_CONFLICT']);
  }),
);

test('write skew is what snapshot isolation allows', () =>
  withBank('snapshot', async (bank) => {
    expect(await writeSkew(bank, sums['by keys']!(bank))).toEqual(['committed', 'committed']);
  }));

/** Each looks whether there is one, and if not makes one: a phantom for the other. */
async function phantom(bank: Bank, find: (t: Transaction) => Promise<number>): Promise<unknown[]> {
  const [a, b] = [bank.begin(), bank.begin()];
  for (const [t, key] of [
    [a, 'p'],
    [b, 'q'],
  ] as const) {
    if ((await find(t)) === 0) await t.insert(bank.accounts, doc({ _key: key, owner: 'bob' }));
  }
  const results = await Promise.allSettled([a.commit(), b.commit()]);
  return results.map(({ status }) => status);
}

const finds: Record<string, (bank: Bank) => (t: Transaction) => Promise<number>> = {
  'a scan': (bank) => async (t) =>
    (await allOf(t.scan(bank.accounts))).filter((r) => r.document()['owner'] === 'bob').length,
  'an index point': (bank) => async (t) =>
    (await allOf(t.scanIndex(bank.accounts, bank.byOwner, { equal: ['bob'] }))).length,
  'an index range': (bank) => async (t) =>
    (
      await allOf(
        t.scanIndex(bank.accounts, bank.byOwner, {
          equal: [],
          lower: { value: 'b', inclusive: true },
          upper: { value: 'c', inclusive: false },
        }),
      )
    ).length,
  'a reverse index range': (bank) => async (t) =>
    (
      await allOf(
        t.scanIndex(
          bank.accounts,
          bank.byOwner,
          { equal: [], lower: { value: 'ann', inclusive: false } },
          { reverse: true },
        ),
      )
    ).length,
  'a count': (bank) => async (t) => ((await t.count(bank.accounts)) > 2 ? 1 : 0),
};

test.each(Object.keys(finds))('phantom in %s: refused when serializable', (kind) =>
  withBank('serializable', async (bank) => {
    expect(await phantom(bank, finds[kind]!(bank))).toEqual(['fulfilled', 'rejected']);
  }),
);

test('what a scan did not look at does not conflict', () =>
  withBank('serializable', async (bank) => {
    const t = bank.begin();
    const first = await t
      .scanIndex(bank.accounts, bank.byOwner, { equal: [] }, { limit: 1 })
      .next();
    expect((first.value as unknown[]).length).toBe(1);
    await t.insert(bank.accounts, doc({ _key: 'mine' }));
    await write(bank.store, (u) => u.insert(bank.accounts, doc({ _key: 'z', owner: 'zoe' })));
    await t.commit();
  }));

test('a scan that is still open counts as far as it came', () =>
  withBank('serializable', async (bank) => {
    const t = bank.begin();
    const scan = t.scanIndex(bank.accounts, bank.byOwner, { equal: [] }, { batchRows: 1 });
    await scan.next();
    await scan.next();
    await t.insert(bank.accounts, doc({ _key: 'mine' }));
    await write(bank.store, (u) => u.insert(bank.accounts, doc({ _key: 'a', owner: 'aaa' })));
    await expect(t.commit()).rejects.toMatchObject(conflict);
  }));

test('read-only transactions never conflict', () =>
  withBank('serializable', async (bank) => {
    const t = bank.store.begin({ readOnly: true });
    await amount(t, bank, 'x');
    await write(bank.store, (u) => setAmount(u, bank, 'x', 1));
    await t.commit();
    expect(t.state).toBe('committed');
  }));
