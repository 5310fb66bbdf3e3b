import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { aql, hasCode, open } from './index.ts';

test('a database in one folder, in this process, that is there again next time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-embedded-'));
  try {
    const first = await open(folder);
    const films = await first.createCollection({ name: 'films' });
    await films.put('alien', { title: 'Alien', year: 1979 });
    await films.insertMany([{ title: 'Heat', year: 1995 }]);
    await expect(open(folder)).rejects.toSatisfy((error) => hasCode(error, 'DATA_LOCKED'));
    await first.close();

    const again = await open(folder);
    const year = 1990;
    const rows = await again
      .query(aql`FOR f IN films FILTER f.year < ${year} RETURN f.title`)
      .all();
    expect(rows).toEqual(['Alien']);
    await again.transaction(async (transaction) => {
      const film = await transaction.collection('films').get('alien');
      await transaction.collection('films').patch('alien', { year: Number(film!['year']) + 1 });
    });
    expect((await again.collection('films').get('alien'))!['year']).toBe(1980);
    await again.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
