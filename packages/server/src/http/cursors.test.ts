import { expect, test } from 'vitest';
import { silentLog, type Value } from '@themisdb/base';
import type { QueryRun } from '@themisdb/query';
import { makeNodeEnv } from '../env/index.ts';
import { Cursors } from './cursors.ts';
import { pageAnswer } from './query-answer.ts';

function makeCursors(): Cursors {
  return new Cursors({
    env: makeNodeEnv({ dataRoot: '.', log: silentLog }),
    openMax: 2,
    idleMs: 60_000,
    makeId: () => 'id',
    onFailure: () => undefined,
  });
}

const nobody = new AbortController().signal;

test('a cursor that is closed while another request reads it is named in no answer', async () => {
  const cursors = makeCursors();
  let goOn = (): void => undefined;
  const waits = new Promise<void>((resolve) => (goOn = resolve));
  async function* batches(): AsyncGenerator<Value[]> {
    yield [1];
    yield [2];
    await waits;
    yield [3];
    yield [4];
  }
  const run = { batches, close: () => Promise.resolve() } as unknown as QueryRun;
  expect(await cursors.start(run, 'n')).toMatchObject({ rows: [1], cursor: 'id' });
  const reading = cursors.next('id', 'n', nobody);
  await cursors.close('id', 'n');
  goOn();
  await expect(reading).rejects.toMatchObject({ code: 'CURSOR_NOT_FOUND' });
  expect(cursors.count).toBe(0);
});

test('results too long for an answer say that the query was carried out', () => {
  const tooLong = {
    toJSON() {
      throw new RangeError('Invalid string length');
    },
  } as unknown as Value;
  const page = (run: object): (() => unknown) => {
    const facts = { id: 'q', stats: {}, warnings: [], ...run } as unknown as QueryRun;
    return () => pageAnswer({ run: facts, rows: [tooLong], cursor: undefined });
  };
  expect(page({ commitTimestamp: 1n })).toThrow(
    expect.objectContaining({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('was carried out') as string,
      details: { limit: 'answer', token: '0000000000000001' },
    }) as Error,
  );
  expect(page({})).toThrow(/^the results are longer/);
});
