import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { floors } from './floors.ts';
import {
  files,
  importsOf,
  isTest,
  manifest,
  packageNames,
  packageOf,
  readJson,
} from './workspace.ts';

const builtins = new Set(builtinModules);
const rootManifest = readJson('package.json') as { devDependencies: Record<string, string> };

function sources(name: string): string[] {
  return [
    ...files(`packages/${name}/src`, (file) => file.endsWith('.ts')),
    ...files(`packages/${name}/bin`, (file) => file.endsWith('.mjs')),
  ];
}

/** What is wrong with one import, or undefined. Each sentence says what to do instead. */
function fault(name: string, path: string, specifier: string): string | undefined {
  const rule = floors[name]!;
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(path), specifier));
    if (!target.startsWith(`packages/${name}/`)) return 'relative imports stay inside the package';
    if (!/\.(ts|json)$/.test(specifier)) return 'write relative imports with their .ts ending';
    return undefined;
  }
  if (specifier.startsWith('node:') || builtins.has(specifier)) {
    if (!specifier.startsWith('node:')) return `write node:${specifier}`;
    if (rule.node === undefined && !isTest(path))
      return 'only server, cli, client and bindings import Node modules; use Env';
    return undefined;
  }
  const target = packageOf(specifier);
  if (!target.startsWith('@themisdb/') && target !== 'themisdb') return undefined;
  const other = target.replace('@themisdb/', '');
  const otherRule = floors[other];
  if (otherRule === undefined) return `unknown package ${other}: add it to floors.ts`;
  if (isTest(path) || rule.testOnly || other === name) return undefined;
  if (otherRule.testOnly)
    return otherRule.usedBy?.includes(name) ? undefined : `${other} is for tests only`;
  if (rule.only && !rule.only.includes(other))
    return `${name} may import only ${rule.only.join(', ')}`;
  const allowed = otherRule.floor < rule.floor || rule.beside?.includes(other);
  return allowed
    ? undefined
    : `${name} (floor ${rule.floor}) may not import ${other} (floor ${otherRule.floor})`;
}

/** Whether the manifest in force for `path` names the package. */
function isDeclared(name: string, path: string, specifier: string): boolean {
  if (/^(\.|#|node:)/.test(specifier)) return true;
  const target = packageOf(specifier);
  const own = manifest(name);
  if (target === own.name) return true;
  const declared = { ...own.dependencies, ...own.peerDependencies, ...own.optionalDependencies };
  if (Object.hasOwn(declared, target)) return true;
  const forTests = { ...own.devDependencies, ...rootManifest.devDependencies };
  return (
    (isTest(path) || floors[name]!.testOnly === true) &&
    (Object.hasOwn(forTests, target) || target.startsWith('@themisdb/'))
  );
}

describe.each(packageNames())('%s', (name) => {
  test('has a place in the table of floors', () => {
    expect(Object.keys(floors)).toContain(name);
  });

  test('imports only what the table allows', () => {
    const faults = sources(name)
      .flatMap(importsOf)
      .map(({ from, specifier }) => [from, specifier, fault(name, from, specifier)] as const)
      .filter(([, , why]) => why !== undefined);
    expect(faults).toEqual([]);
  });

  test('declares every package it imports', () => {
    const undeclared = sources(name)
      .flatMap(importsOf)
      .filter(({ from, specifier }) => !isDeclared(name, from, specifier))
      .map(({ from, specifier }) => `${from}: ${specifier}`);
    expect(undeclared).toEqual([]);
  });

  test('imports every package it declares', () => {
    const used = new Set(
      sources(name)
        .flatMap(importsOf)
        .map((i) => packageOf(i.specifier)),
    );
    const idle = Object.keys(manifest(name).dependencies ?? {}).filter((d) => !used.has(d));
    expect(idle).toEqual([]);
  });

  test('builds after the packages it imports', () => {
    const config = readJson(`packages/${name}/tsconfig.json`) as {
      references?: { path: string }[];
    };
    const references = (config.references ?? []).map((r) => `@themisdb/${r.path.split('/').pop()}`);
    const needed = Object.keys(manifest(name).dependencies ?? {}).filter((d) =>
      d.startsWith('@themisdb/'),
    );
    expect(references.sort()).toEqual(needed.sort());
  });
});
