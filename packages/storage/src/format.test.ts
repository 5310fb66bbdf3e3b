import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toHex, tryFromHex } from '@themisdb/base';
import { makeMemoryEngine } from '@themisdb/kv';
import { makeSimEnv } from '@themisdb/testing';
import type { Wal, WalRecord } from '@themisdb/wal';
import { sealValue } from './catalog/catalog-codec.ts';
import { checkFormatVersion, formatVersionCurrent, formatVersions } from './format-versions.ts';
import { KeySpace, metaName } from './keys.ts';
import { openStore } from './open.ts';
import type { ShardStore } from './store.ts';
import { allOf, doc, idOf, openTestStore, plain, write } from './testing/test-store.ts';
import { verify } from './verify.ts';

// Fixtures: a store as each format wrote it, half in the engine and half only in the log. They are
// written once, by `THEMIS_WRITE_FIXTURES=1`, when a format is new, and never again.

interface Fixture {
  readonly engine: readonly (readonly [key: string, value: string])[];
  readonly log: readonly {
    readonly index: number;
    readonly kind: number;
    readonly payload: string;
  }[];
  readonly expected: Expected;
}

interface Expected {
  readonly collections: Record<string, unknown[]>;
  readonly past: unknown[];
  readonly pastMoment: string;
  readonly changes: number;
}

const folder = new URL('./testdata/', import.meta.url);

async function writeFixture(version: number): Promise<void> {
  const env = makeSimEnv(version);
  await env.run(async () => {
    const { store, engine, wal } = await openTestStore(env);
    const users = await store.createCollection('default', { name: 'users' });
    const edges = await store.createCollection('tenant', { name: 'knows', type: 'edge' });
    await store.createIndex(users, {
      type: 'persistent',
      fields: ['mail'],
      unique: true,
      sparse: true,
    });
    await store.createIndex(users, {
      type: 'persistent',
      fields: ['tags[*]', 'age'],
      storedValues: ['name'],
    });
    await write(store, (t) =>
      t.insertMany(users, [
        doc({ _key: 'a', name: 'Ada', mail: 'a@x', age: 36, tags: ['x', 'y', null], f: -0.5 }),
        doc({
          _key: 'ä/🙂',
          name: 'Änne',
          age: 2 ** 40,
          deep: { __x: [[], {}] },
          tags: [[1], { z: 1 }],
        }),
        doc({ _key: 'gone' }),
      ]),
    );
    const pastMoment = store.lastCommit;
    const past = await contents(store, 'default', 'users');
    const inEngine = await allOf(engine.scan({}));
    await write(store, async (t) => {
      await t.update(users, idOf(users, 'a'), doc({ age: 37, mail: 'b@x' }));
      await t.remove(users, idOf(users, 'gone'));
      await t.insert(edges, doc({ _key: 'e', _from: 'users/a', _to: 'users/b' }));
      t.rememberAnswer('key', { fingerprint: 'f', body: doc({ ok: 1 }) });
    });
    const log = (await allOf(wal.replay(1))).map(({ index, kind, payload }) => ({
      index,
      kind,
      payload: toHex(payload),
    }));
    const fixture: Fixture = {
      engine: inEngine.map(({ key, value }) => [toHex(key), toHex(value)]),
      log,
      expected: {
        collections: {
          users: await contents(store, 'default', 'users'),
          knows: await contents(store, 'tenant', 'knows'),
        },
        past,
        pastMoment: pastMoment.toString(),
        changes: (await store.readChanges({ after: { index: 0, n: 0 }, limit: 100 })).changes
          .length,
      },
    };
    mkdirSync(folder, { recursive: true });
    writeFileSync(fixtureFile(version), `${JSON.stringify(fixture, undefined, 1)}\n`);
  });
}

function fixtureFile(version: number): URL {
  return new URL(`format-${version}.json`, folder);
}

async function contents(
  store: ShardStore,
  namespace: string,
  name: string,
  asOf?: bigint,
): Promise<unknown[]> {
  const t = store.begin({ asOf });
  const rows = await allOf(t.scan(store.catalog().find(namespace, name)!));
  t.rollback();
  const keyOf = (row: unknown): string => (row as { _key: string })._key;
  return rows.map(plain).sort((x, y) => (keyOf(x) < keyOf(y) ? -1 : 1));
}

/** A log that holds `records` and takes no more. */
function logOf(records: readonly WalRecord[]): Wal {
  return {
    append: () => Promise.reject(new Error('the fixture is read only')),
    reserve: () => undefined,
    async *replay(_group, from = 0) {
      const rest = records.filter(({ index }) => index >= from);
      if (rest.length > 0) yield rest;
    },
    bounds: () => ({ first: records[0]!.index, last: records[records.length - 1]!.index }),
    groups: () => [1],
    truncateBefore: () => Promise.resolve(),
    stats: () => {
      throw new Error('not asked for');
    },
    close: () => Promise.resolve(),
  };
}

const fromHex = (text: string): Uint8Array => tryFromHex(text)!;

test.each(formatVersions)('a store of format %i opens and has its data', async (version) => {
  if (process.env['THEMIS_WRITE_FIXTURES'] !== undefined && !existsSync(fixtureFile(version)))
    await writeFixture(version);
  const fixture = JSON.parse(readFileSync(fixtureFile(version), 'utf8')) as Fixture;
  const env = makeSimEnv(99);
  await env.run(async () => {
    const engine = makeMemoryEngine();
    await engine.write(
      fixture.engine.map(([key, value]) => ({
        type: 'put',
        key: fromHex(key),
        value: fromHex(value),
      })),
    );
    const records = fixture.log.map(({ index, kind, payload }) => ({
      group: 1,
      term: 1,
      index,
      kind,
      payload: fromHex(payload),
    }));
    const store = (await openStore({ env, engine, wal: logOf(records) })) as ShardStore;
    const { expected } = fixture;
    expect(await contents(store, 'default', 'users')).toEqual(expected.collections['users']);
    expect(await contents(store, 'tenant', 'knows')).toEqual(expected.collections['knows']);
    expect(await contents(store, 'default', 'users', BigInt(expected.pastMoment))).toEqual(
      expected.past,
    );
    const { changes } = await store.readChanges({ after: { index: 0, n: 0 }, limit: 100 });
    expect(changes.length).toBe(expected.changes);
    expect((await verify(store)).faults).toEqual([]);
  });
});

test('a newer format is refused', async () => {
  expect(() => checkFormatVersion(formatVersionCurrent)).not.toThrow();
  const env = makeSimEnv(1);
  await env.run(async () => {
    const engine = makeMemoryEngine();
    const key = new KeySpace(1).meta(metaName.format);
    await engine.write([{ type: 'put', key, value: sealValue(formatVersionCurrent + 1) }]);
    await expect(openTestStore(env, engine)).rejects.toMatchObject({ code: 'FORMAT_UNKNOWN' });
  });
});

test('an engine and a log that do not belong together are refused', async () => {
  const env = makeSimEnv(2);
  await env.run(async () => {
    const { store, wal } = await openTestStore(env, makeMemoryEngine());
    for (let n = 0; n < 5; n++) await store.createCollection('default', { name: `c${n}` });
    const records = (await allOf(wal.replay(1))).slice(2);
    const open = openStore({ env, engine: makeMemoryEngine(), wal: logOf(records) });
    await expect(open).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    const behind = openStore({
      env,
      engine: store.context.engine,
      wal: logOf((await allOf(wal.replay(1))).slice(0, 2)),
    });
    await expect(behind).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });
});
