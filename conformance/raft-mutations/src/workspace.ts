import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';

export const ROOT: string = join(import.meta.dirname, '..', '..', '..');
const CORE = join('packages', 'raft', 'src');

/**
 * The core, what imports it, and what these import: a run takes long, and work on the tree beside it must
 * not pass for a caught change.
 */
const COPIED = ['base', 'kv', 'protocol', 'raft', 'testing'];
const CONFORMANCE = ['raft-scripts', 'raft-oracle'];

/**
 * A private copy of the core and of what drives it, in which the core can be changed. The working tree
 * is never written to.
 */
export class Workspace {
  readonly dir: string;

  constructor() {
    this.dir = realpathSync(mkdtempSync(join(tmpdir(), 'raft-mutations-')));
    copyTree(this.dir);
    for (const file of coreFiles()) this.#compile(file, readCore(file));
  }

  /** Changes one file of the core, given relative to its `src`. */
  write(file: string, text: string): void {
    writeFileSync(join(this.dir, CORE, file), text);
    this.#compile(file, text);
  }

  restore(file: string): void {
    this.write(file, readCore(file));
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #compile(file: string, text: string): void {
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    const target = join(this.dir, 'packages', 'raft', 'dist', file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}

/** Source files of the core, tests and their helpers left out. */
export function coreFiles(): string[] {
  return readdirSync(join(ROOT, CORE), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => !file.split(sep).includes('testing'))
    .sort();
}

export function readCore(file: string): string {
  return readFileSync(join(ROOT, CORE, file), 'utf8');
}

function copyTree(dir: string): void {
  for (const file of ['package.json', 'tsconfig.base.json', 'vitest.config.ts']) {
    cpSync(join(ROOT, file), join(dir, file));
  }
  cpSync(join(ROOT, 'types'), join(dir, 'types'), { recursive: true });
  const withoutModules = (path: string): boolean =>
    !relative(ROOT, path).split(sep).includes('node_modules');
  for (const name of COPIED) {
    const path = join('packages', name);
    cpSync(join(ROOT, path), join(dir, path), { recursive: true, filter: withoutModules });
  }
  for (const name of CONFORMANCE) {
    const path = join('conformance', name, 'dist');
    cpSync(join(ROOT, path), join(dir, path), { recursive: true });
    cpSync(
      join(ROOT, 'conformance', name, 'package.json'),
      join(dir, 'conformance', name, 'package.json'),
    );
  }
  linkModules(dir);
}

/** Everything installed, except that the copied packages are the copies. */
function linkModules(dir: string): void {
  const modules = join(dir, 'node_modules');
  const scope = join(modules, '@themisdb');
  mkdirSync(scope, { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@themisdb' && !name.startsWith('.')) {
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    }
  }
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    const home = join(dir, 'packages', name);
    if (!COPIED.includes(name)) symlinkSync(join(ROOT, 'packages', name), home);
    symlinkSync(home, join(scope, name));
  }
}
