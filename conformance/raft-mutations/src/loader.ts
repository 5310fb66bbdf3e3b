import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { Script } from 'node:vm';
import ts from 'typescript';

interface LoadedModule {
  exports: unknown;
}

type Body = (exports: unknown, module: LoadedModule, require: (name: string) => unknown) => void;

/**
 * Loads the modules of a `Workspace` as often as one likes in one process, each time anew and as they
 * are then on disk; the engine keeps what it knows of those that have not changed. Everything outside
 * the workspace is loaded once, by Node.
 */
export class Loader {
  readonly #dir: string;
  readonly #bodies = new Map<string, { readonly text: string; readonly body: Body }>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The exports of these modules, given relative to the workspace, which share what they import. */
  load(...paths: string[]): unknown[] {
    const modules = new Map<string, LoadedModule>();
    return paths.map((path) => this.#load(join(this.#dir, path), modules));
  }

  #load(path: string, modules: Map<string, LoadedModule>): unknown {
    const known = modules.get(path);
    if (known !== undefined) return known.exports;
    const module: LoadedModule = { exports: {} };
    modules.set(path, module);
    const nodeRequire = createRequire(path);
    const require = (name: string): unknown => {
      const target = nodeRequire.resolve(name);
      return target.startsWith(this.#dir + sep) && !isInstalled(target.slice(this.#dir.length))
        ? this.#load(target, modules)
        : nodeRequire(name);
    };
    this.#body(path)(module.exports, module, require);
    return module.exports;
  }

  #body(path: string): Body {
    const text = readFileSync(path, 'utf8');
    const known = this.#bodies.get(path);
    if (known?.text === text) return known.body;
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.CommonJS },
    });
    const source = `(function (exports, module, require) {${outputText}\n})`;
    const body = new Script(source, { filename: path }).runInThisContext() as Body;
    this.#bodies.set(path, { text, body });
    return body;
  }
}

/** Linked packages resolve to their real places; what is left in such a folder is not ours. */
function isInstalled(path: string): boolean {
  return path.split(sep).includes('node_modules');
}
