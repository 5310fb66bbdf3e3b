import { fileURLToPath } from 'node:url';
import { aql, ThemisClient } from '@themisdb/client';

interface Account {
  readonly balance: number;
}

/** Transfers that run at once and lose nothing: `node examples/dist/transactions.js [URL]`. */
export async function runTransactions(url: string): Promise<string[]> {
  const client = new ThemisClient({ url, namespace: 'samples' });
  try {
    await client.createCollection({ name: 'accounts' });
    const accounts = client.collection<Account>('accounts');
    await accounts.batchPut([
      { _key: 'ada', balance: 100 },
      { _key: 'bob', balance: 0 },
    ]);

    // Ten at once on the same two accounts: those that meet a conflict run again.
    const transfer = (amount: number): Promise<void> =>
      client.transaction(
        async (tx) => {
          const [from, to] = await tx.collection<Account>('accounts').batchGet(['ada', 'bob']);
          if (from!.balance < amount) throw new Error('not enough money');
          await tx.put('accounts/ada', { balance: from!.balance - amount });
          await tx.put('accounts/bob', { balance: to!.balance + amount });
        },
        { attemptsMax: 100 },
      );
    await Promise.all(Array.from({ length: 10 }, () => transfer(7)));

    const refused = await transfer(1000).catch((error: Error) => error.message);
    const rows = await client
      .query<string>(aql`FOR a IN ${accounts} SORT a._key RETURN CONCAT(a._key, ": ", a.balance)`)
      .all();
    await accounts.drop();
    return [...rows, `a transfer too many: ${String(refused)}`];
  } finally {
    await client.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const line of await runTransactions(process.argv[2] ?? 'http://127.0.0.1:8080'))
    console.log(line);
}
