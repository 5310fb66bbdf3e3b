import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../../..', import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

export function packageNames(): string[] {
  return readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'package.json')),
  );
}

export function manifest(name: string): Manifest {
  return readJson(`packages/${name}/package.json`) as Manifest;
}

const skipped = new Set(['node_modules', 'dist', '.git', 'data', 'coverage', 'target', '.cache']);

/** Paths below `folder`, relative to the repository, of files whose name `keep` accepts. */
export function files(folder: string, keep: (name: string) => boolean): string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  const out: string[] = [];
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (keep(entry.name)) out.push(relative(root, path));
    }
  };
  walk(start);
  return out.sort();
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Tests, and helpers of a package's own tests, which stand in `src/testing/` and are not built. */
/** Test files, and the folders of helpers that only tests use. */
export function isTest(path: string): boolean {
  return /\.(test|test-d)\.ts$/.test(path) || path.includes('/src/testing/');
}

export interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const statement =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

export function importsOf(path: string): Import[] {
  return [...read(path).matchAll(statement)].map((match) => ({
    from: path,
    specifier: (match[2] ?? match[3])!,
    typeOnly: match[1] !== undefined,
  }));
}

/** `@scope/name/sub` or `name/sub` without the sub-path. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
