// A process that writes as fast as it can until it is killed, and says on standard output what was
// acknowledged. Arguments: data folder, first number. Each writer owns its keys and works one
// operation at a time, so at most one operation of each is in doubt.
import { writeSync } from 'node:fs';
import { open } from '../database/open.ts';

export const writers = 16;

const [folder, first] = process.argv.slice(2);
const database = await open(folder!);
const names = database.collections().map(({ name }) => name);
for (const name of ['left', 'right']) {
  if (names.includes(name)) continue;
  const collection = await database.createCollection({ name });
  await collection.createIndex({ type: 'persistent', fields: ['value'] });
  await collection.createIndex({ type: 'persistent', fields: ['key'], unique: true });
}

/** The same document goes to both collections or to none. */
async function write(key: string, value: number): Promise<void> {
  await database.transaction(async (transaction) => {
    const document = { key, value, pad: 'x'.repeat(value % 700) };
    await transaction.collection('left').put(key, document);
    await transaction.collection('right').put(key, document);
  });
  writeSync(1, `${key} ${value}\n`);
}

async function work(writer: number): Promise<never> {
  for (let n = Number(first); ; n++) {
    const key = `${writer}-${n}`;
    await write(key, 1);
    if (n % 3 === 0) await write(key, 2 + (n % 1_000));
  }
}

writeSync(1, 'ready\n');
await Promise.all(Array.from({ length: writers }, (_, writer) => work(writer)));
