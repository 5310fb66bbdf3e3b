import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allFaults } from './faults/all.ts';
import { runKind } from './run-kind.ts';

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      nodes: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      clients: { type: 'string', default: '8' },
      folder: { type: 'string', default: tmpdir() },
      keep: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  if (values.list) {
    for (const { name, summary } of allFaults) console.log(`${name.padEnd(24)} ${summary}`);
    return 0;
  }
  const unknown = positionals.filter((name) => !allFaults.some((kind) => kind.name === name));
  if (unknown.length > 0) {
    console.error(`no fault ${unknown.join(', ')}; --list shows those there are`);
    return 2;
  }
  const chosen = allFaults.filter(
    ({ name, isPlanted }) =>
      positionals.includes(name) || (positionals.length === 0 && isPlanted !== true),
  );
  const folder = mkdtempSync(join(values.folder, 'themis-faults-'));
  const nodes = Number(values.nodes);
  const print = (line: string): void => console.log(line);
  print(
    `${nodes} node${nodes === 1 ? '' : 's'}, ${values.rounds} rounds each, seed ${values.seed}`,
  );
  let violations = 0;
  for (const kind of chosen) {
    const numbers = { rounds: Number(values.rounds), seed: Number(values.seed) };
    const clients = Number(values.clients);
    violations += await runKind({ kind, folder, nodes, clients, print, ...numbers });
  }
  if (violations === 0 && !values.keep) rmSync(folder, { recursive: true });
  else print(`histories, logs and data are left in ${folder}`);
  print(`${violations} violations`);
  return violations === 0 ? 0 : 1;
}

process.exitCode = await main();
