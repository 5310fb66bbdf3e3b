import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { files, packageNames, read, readJson, root } from './workspace.ts';

const sourceFile = (name: string): boolean => /\.(ts|tsx|mjs)$/.test(name);

test('source files are named in kebab-case', () => {
  const all = ['packages', 'bench', 'scripts', 'conformance'].flatMap((f) => files(f, sourceFile));
  const pattern =
    /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|test-d|prop|meta|int|d|config|prop\.test|meta\.test|int\.test))?\.(ts|tsx|mjs)$/;
  expect(all.filter((path) => !pattern.test(basename(path)))).toEqual([]);
});

test('every package has a README that says more than its manifest', () => {
  const thin = packageNames().filter((name) => {
    const path = `packages/${name}/README.md`;
    return !existsSync(join(root, path)) || read(path).split('\n').length < 8;
  });
  expect(thin).toEqual([]);
});

test('every package is part of the build', () => {
  const config = readJson('tsconfig.json') as { references: { path: string }[] };
  const built = config.references.map((r) => r.path).filter((p) => p.startsWith('packages/'));
  expect(built.sort()).toEqual(
    packageNames()
      .map((name) => `packages/${name}`)
      .sort(),
  );
});

test('links between documents lead somewhere', () => {
  const documents = [
    ...files('docs', (name) => name.endsWith('.md')),
    ...files('packages', (name) => name.endsWith('.md')),
    ...['README.md', 'CONTRIBUTING.md'].filter((name) => existsSync(join(root, name))),
  ];
  const broken = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g)]
      .map((match) => match[1]!)
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test('nothing is left to do in the text of the code', () => {
  const marker = new RegExp(
    `\\b(${['FIX', 'ME'].join('')}|${['TO', 'DO'].join('')}|${['XX', 'X'].join('')})\\b`,
  );
  const marked = files('packages', sourceFile).filter((path) => marker.test(read(path)));
  expect(marked).toEqual([]);
});

test('the lock file holds what every platform installs', () => {
  // npm ci refuses a lock file without an entry for each optional dependency, even foreign ones.
  const { packages } = readJson('package-lock.json') as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        packages[`node_modules/${name}`] === undefined &&
        packages[`${path}/node_modules/${name}`] === undefined,
    ),
  );
  expect(missing).toEqual([]);
});

test('the lock file names no download address', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});
