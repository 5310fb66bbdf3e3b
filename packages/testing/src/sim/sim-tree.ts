import { baseName, parentPath, type Prng } from '@themisdb/base';
import type { SimInode } from './sim-inode.ts';

export type TreeNode = SimInode | 'folder';

type Names = Map<string, TreeNode>;

interface PendingName {
  readonly order: number;
  /** The folder whose sync makes the change durable. */
  readonly folder: string;
  apply(names: Names): void;
}

/**
 * The folders: names as the process sees them, as the medium holds them, and the changes in between.
 * At a crash each pending change is lost or kept by itself; what then lies in no folder is gone.
 */
export class SimTree {
  #current: Names = new Map([['', 'folder']]);
  readonly #durable: Names = new Map([['', 'folder']]);
  #pending: PendingName[] = [];
  #order = 0;

  get(path: string): TreeNode | undefined {
    return this.#current.get(path);
  }

  isFolder(path: string): boolean {
    return this.#current.get(path) === 'folder';
  }

  list(folder: string): string[] {
    const names = [...this.#current.keys()].filter((p) => p !== '' && parentPath(p) === folder);
    return names.map(baseName).sort();
  }

  files(): [path: string, inode: SimInode][] {
    return [...this.#current].filter((entry): entry is [string, SimInode] => entry[1] !== 'folder');
  }

  link(path: string, node: TreeNode): void {
    this.#change(parentPath(path), (names) => names.set(path, node));
  }

  remove(path: string): void {
    this.#change(parentPath(path), (names) => {
      for (const name of names.keys()) if (isInside(name, path)) names.delete(name);
    });
  }

  rename(from: string, to: string): void {
    const moved = [...this.#current].filter(([name]) => isInside(name, from));
    this.#change(parentPath(to), (names) => {
      for (const name of names.keys()) {
        if (isInside(name, from) || isInside(name, to)) names.delete(name);
      }
      for (const [name, node] of moved) names.set(to + name.slice(from.length), node);
    });
  }

  mark(): number {
    return this.#order;
  }

  synced(folder: string, mark: number): void {
    const covered = (change: PendingName): boolean =>
      change.folder === folder && change.order < mark;
    for (const change of this.#pending) if (covered(change)) change.apply(this.#durable);
    this.#pending = this.#pending.filter((change) => !covered(change));
  }

  crash(prng: Prng): void {
    const odds = prng.pick([0, 1, 0.5]);
    for (const change of this.#pending) if (prng.chance(odds)) change.apply(this.#durable);
    this.#pending = [];
    for (const path of this.#durable.keys()) {
      if (!this.#isReachable(path)) this.#durable.delete(path);
    }
    this.#current = new Map(this.#durable);
  }

  #isReachable(path: string): boolean {
    if (path === '') return true;
    const folder = parentPath(path);
    return this.#durable.get(folder) === 'folder' && this.#isReachable(folder);
  }

  #change(folder: string, apply: (names: Names) => void): void {
    apply(this.#current);
    this.#pending.push({ order: this.#order++, folder, apply });
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
