import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Figure, measureCore } from './measure.ts';

/**
 * `npm run bench:raft`: the core beside the library it is held equal to, on the same machine: three
 * nodes in one thread, storage in memory, entries of 256 bytes. Without Go the core is measured alone.
 */
const LIBRARY = join(import.meta.dirname, '..', 'library');

function measureLibrary(): { figures: Figure[]; version: string } | undefined {
  if (!hasGo()) return undefined;
  const program = join(LIBRARY, '..', 'dist', 'library');
  const run = (command: string, args: string[]): string =>
    execFileSync(command, args, { cwd: LIBRARY, encoding: 'utf8' });
  run('go', ['build', '-o', program, '.']);
  const figures = JSON.parse(run(program, [])) as Figure[];
  return { figures, version: run('go', ['env', 'GOVERSION']).trim() };
}

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

const [cpu] = cpus();
console.log(`machine: ${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}`);
const library = measureLibrary();
const core = measureCore();
const format = (value: number | undefined): string =>
  value === undefined ? 'not measured' : Math.round(value).toLocaleString('en');
console.log(
  `\n| Per second of processor time | Core (Node ${process.version}) | Library (${library?.version ?? 'no Go'}) | Library / core |`,
);
console.log('|---|---:|---:|---:|');
for (const { name, perSecond } of core) {
  const other = library?.figures.find((figure) => figure.name === name)?.perSecond;
  const ratio = other === undefined ? '' : (other / perSecond).toFixed(2);
  console.log(`| ${name} | ${format(perSecond)} | ${format(other)} | ${ratio} |`);
}
