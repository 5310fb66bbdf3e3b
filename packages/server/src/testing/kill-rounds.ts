import { once } from 'node:events';
import { Prng } from '@themisdb/base';
import { spawnSource } from '@themisdb/testing/spawn-source';
import type { Database } from '../database/types.ts';
import { open } from '../database/open.ts';

export interface KillRoundsOptions {
  readonly folder: string;
  readonly rounds: number;
  readonly seed: number;
  readonly onRound?: (round: number, acknowledged: number) => void;
}

export interface KillRoundsResult {
  readonly acknowledged: number;
  /** What must not be: each a sentence. */
  readonly faults: readonly string[];
}

/**
 * Kills a writing process with SIGKILL at a random moment, opens its folder again and checks:
 * every acknowledged write is there; a transaction left both its documents or none; both indexes
 * lead to exactly the documents there are. Every fifth round the kill comes while it still recovers.
 */
export async function runKillRounds(options: KillRoundsOptions): Promise<KillRoundsResult> {
  const prng = new Prng(options.seed);
  const acknowledged = new Map<string, number>();
  const faults: string[] = [];
  for (let round = 0; round < options.rounds && faults.length === 0; round++) {
    const isEarly = round > 0 && round % 5 === 4;
    const before = acknowledged.size;
    await writeAndKill(
      options.folder,
      round,
      acknowledged,
      isEarly ? { startMs: prng.below(400) } : { runMs: 20 + prng.below(400) },
    );
    const fresh = [...acknowledged.keys()].slice(before);
    const isLast = round === options.rounds - 1;
    await inspect(options.folder, isLast ? [...acknowledged.keys()] : fresh, acknowledged, faults);
    options.onRound?.(round, acknowledged.size);
  }
  return { acknowledged: acknowledged.size, faults };
}

/** Kills `runMs` after the first write may begin, or `startMs` after the process was started. */
async function writeAndKill(
  folder: string,
  round: number,
  acknowledged: Map<string, number>,
  when: { readonly runMs?: number; readonly startMs?: number },
): Promise<void> {
  const child = spawnSource(new URL('./crash-writer.ts', import.meta.url), [
    folder,
    String(round * 1_000_000),
  ]);
  const kill = (): void => void child.kill('SIGKILL');
  if (when.startMs !== undefined) setTimeout(kill, 300 + when.startMs);
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === 'ready') {
        if (when.runMs !== undefined) setTimeout(kill, when.runMs);
        continue;
      }
      const [key, value] = line.split(' ');
      acknowledged.set(key!, Number(value));
    }
  });
  await once(child, 'close');
}

async function inspect(
  folder: string,
  keys: readonly string[],
  acknowledged: ReadonlyMap<string, number>,
  faults: string[],
): Promise<void> {
  const database = await open(folder);
  try {
    if (database.collections().length < 2) return;
    for (let i = 0; i < keys.length; i += 1_000) {
      await checkAcknowledged(database, keys.slice(i, i + 1_000), acknowledged, faults);
    }
    await checkWhole(database, faults);
  } finally {
    await database.close();
  }
}

/** The value last acknowledged, or the one that was being written when the process died. */
async function checkAcknowledged(
  database: Database,
  keys: readonly string[],
  acknowledged: ReadonlyMap<string, number>,
  faults: string[],
): Promise<void> {
  const found = await database.collection('left').getMany(keys);
  keys.forEach((key, i) => {
    const value = found[i]?.['value'];
    const wanted = acknowledged.get(key)!;
    const isLater = wanted === 1 && typeof value === 'number' && value > 1;
    if (value !== wanted && !isLater) {
      faults.push(`${key}: acknowledged ${wanted}, found ${JSON.stringify(value ?? null)}`);
    }
  });
}

async function checkWhole(database: Database, faults: string[]): Promise<void> {
  const all = (name: string, hint: string): Promise<unknown[]> =>
    database.query(`FOR d IN ${name} ${hint} RETURN [d.key, d.value]`).all();
  const left = sorted(await all('left', ''));
  const views: [string, string, string][] = [
    ['the other half of the transactions', 'right', ''],
    ['the index on value', 'left', 'FILTER d.value >= 0'],
    ['the unique index', 'left', 'FILTER d.key >= ""'],
  ];
  for (const [what, name, hint] of views) {
    const other = sorted(await all(name, hint));
    if (JSON.stringify(other) !== JSON.stringify(left)) {
      faults.push(`${what} differs: ${other.length} rows instead of ${left.length}`);
    }
  }
  for (const name of ['left', 'right']) {
    const count = await database.collection(name).count();
    if (count !== left.length)
      faults.push(`count of ${name} is ${count} instead of ${left.length}`);
  }
}

function sorted(rows: readonly unknown[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
