import { expect, test } from 'vitest';
import { silentLog, type ThemisError } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { CollectionInfo, Store } from '@themisdb/storage';
import { makeNodeEnv } from '../env/index.ts';
import { Importer } from './import.ts';

/** A store whose commits end like this, one after the other. */
function importerOn(commits: readonly (Error | undefined)[]): Importer {
  let next = 0;
  const transaction = {
    insertMany: (_: unknown, documents: readonly unknown[]) =>
      Promise.resolve(documents.map(() => ({}))),
    commit: () => {
      const error = commits[next++];
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    },
    rollback: () => undefined,
  };
  const store = { rowEncoder: () => undefined, begin: () => transaction } as unknown as Store;
  return new Importer({
    store,
    env: makeNodeEnv({ dataRoot: '.', log: silentLog }),
    collection: {} as CollectionInfo,
    onDuplicate: 'error',
    onFailure: () => undefined,
  });
}

async function importLines(importer: Importer, count: number): Promise<unknown> {
  try {
    for (let line = 1; line <= count; line++) importer.add({ line, value: { line } });
    await importer.finish();
    return undefined;
  } catch (error) {
    return importer.failure(error);
  }
}

const full = themisError('NO_LEADER', { message: 'm', details: { a: 1 } });

test('an import that fails in the middle says what is there, and cannot be run again', async () => {
  const error = await importLines(importerOn([undefined, full]), 5000);
  expect(error).toMatchObject({
    code: 'NO_LEADER',
    kind: 'unavailable',
    retryable: false,
    message: 'm; the lines up to 2000 were committed before',
    details: { a: 1, committed: { line: 2000, created: 2000, updated: 0, ignored: 0 } },
  });
});

test('one that fails before anything is there may be run again', async () => {
  const error = (await importLines(importerOn([full]), 5000)) as ThemisError;
  expect(error).toBe(full);
  expect(error.retryable).toBe(true);
});
