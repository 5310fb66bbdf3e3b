import { fileURLToPath } from 'node:url';
import { aql, hasCode, ThemisClient } from '@themisdb/client';

interface Book {
  readonly title: string;
  readonly year: number;
}

/** The client of a running server: `node examples/dist/client.js [URL]`. */
export async function runClient(url: string): Promise<string[]> {
  const lines: string[] = [];
  const client = new ThemisClient({ url, namespace: 'samples' });
  try {
    await client.createCollection({ name: 'books' });
    const books = client.collection<Book>('books');
    await books.createIndex({ fields: ['year'] });
    await books.batchPut([
      { _key: 'dune', title: 'Dune', year: 1965 },
      { _key: 'emma', title: 'Emma', year: 1815 },
    ]);

    const after = 1900;
    const query = aql`FOR b IN ${books} FILTER b.year > ${after} RETURN b.title`;
    for await (const title of client.query<string>(query)) lines.push(`after ${after}: ${title}`);

    // Only the one who read the current version may change it.
    const read = await books.get('dune');
    await books.patch('dune', { pages: 604 }, { ifMatch: read!._rev });
    try {
      await books.patch('dune', { pages: 412 }, { ifMatch: read!._rev });
    } catch (error) {
      if (!hasCode(error, 'PRECONDITION_FAILED')) throw error;
      lines.push('the second patch was refused');
    }

    // What was written so far, in order; `changes()` would go on and wait for more.
    const { changes } = await client.readChanges({ collection: 'books' });
    lines.push(`changes: ${changes.map(({ operation }) => operation).join(', ')}`);
    await books.drop();
    return lines;
  } finally {
    await client.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const line of await runClient(process.argv[2] ?? 'http://127.0.0.1:8080')) console.log(line);
}
