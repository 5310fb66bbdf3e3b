// What `npm start` and `npm test` need on a fresh clone: dependencies and a build, made only when
// something changed since the last time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const installStamp = join(root, 'node_modules/.themis-installed');
const buildStamp = join(root, 'node_modules/.themis-built');

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`ThemisDB needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

function mustRun(what, command, args) {
  const status = run(command, args);
  if (status === 0) return;
  console.error(`${what} failed (exit code ${status}).`);
  process.exit(status);
}

/** `npm ci` when the lock file is not the one that was installed last. */
export function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(installStamp) && readFileSync(installStamp, 'utf8') === lock) return;
  // A tree installed by hand counts when npm recorded the same lock file content.
  console.error('Installing dependencies (once) …');
  mustRun('npm ci', process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  writeFileSync(installStamp, lock);
}

function newestSource(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSource(path));
    else if (/\.(ts|tsx|json|mjs)$/.test(entry.name))
      newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

/** `tsc -b` when a source is newer than the last build. */
export function build() {
  const built = existsSync(buildStamp) ? statSync(buildStamp).mtimeMs : 0;
  const folders = ['packages', 'examples', 'bench'].map((name) => join(root, name));
  const configs = ['tsconfig.base.json', 'tsconfig.json'].map((name) => join(root, name));
  const newest = Math.max(
    ...folders.map(newestSource),
    ...configs.map((path) => statSync(path).mtimeMs),
  );
  if (newest < built && existsSync(join(root, 'packages/cli/dist'))) return;
  console.error('Building …');
  mustRun('The build', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b']);
  writeFileSync(buildStamp, '');
}
