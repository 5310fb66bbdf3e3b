import { fileURLToPath } from 'node:url';
import { open } from '@themisdb/server';

/**
 * The database inside a program: no server, no HTTP. Run it with
 * `node examples/dist/embedded.js [FOLDER]`. Outside this repository `open` is imported from `themisdb`.
 */
export async function runEmbedded(folder: string): Promise<string[]> {
  const lines: string[] = [];
  const db = await open(folder);
  try {
    const known = db.collections().some(({ name }) => name === 'books');
    const books = known ? db.collection('books') : await db.createCollection({ name: 'books' });
    await books.createIndex({ type: 'persistent', fields: ['year'] });

    await books.put('dune', { title: 'Dune', author: 'Herbert', year: 1965 });
    await books.put('emma', { title: 'Emma', author: 'Austen', year: 1815 });
    await books.patch('dune', { awards: ['Hugo', 'Nebula'] });

    const query = 'FOR b IN books FILTER b.year > @after SORT b.year RETURN b.title';
    for await (const title of db.query<string>(query, { after: 1900 })) {
      lines.push(`after 1900: ${title}`);
    }
    const dune = await books.get('dune');
    lines.push(`awards of Dune: ${(dune!['awards'] as string[]).join(', ')}`);
    lines.push(`books: ${await books.count()}`);
    return lines;
  } finally {
    await db.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const line of await runEmbedded(process.argv[2] ?? './library')) console.log(line);
}
