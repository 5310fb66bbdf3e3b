import { defaultNamespace } from '@themisdb/protocol';
import type { Catalog, CollectionInfo } from '../contract/catalog.ts';
import type { Timestamp } from '../contract/transaction.ts';

/** A collection as the store remembers it, also after it was dropped: old changes name it. */
export interface CatalogEntry {
  readonly info: CollectionInfo;
  /** Before this moment nothing can be said about the collection: it was truncated then. */
  readonly historyStart: Timestamp;
  readonly isDropped: boolean;
}

/** An immutable set of collections with look-ups by name and id. */
export class CatalogView implements Catalog {
  readonly version: number;
  readonly #entries: ReadonlyMap<number, CatalogEntry>;
  readonly #byName: ReadonlyMap<string, CollectionInfo>;
  readonly #sorted: readonly CollectionInfo[];

  constructor(version: number, entries: Iterable<CatalogEntry>) {
    this.version = version;
    this.#entries = new Map([...entries].map((entry) => [entry.info.id, entry]));
    this.#sorted = [...this.#entries.values()]
      .filter(({ isDropped }) => !isDropped)
      .map(({ info }) => info)
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    this.#byName = new Map(this.#sorted.map((info) => [fullName(info.namespace, info.name), info]));
  }

  namespaces(): readonly string[] {
    const names = new Set(this.#sorted.map(({ namespace }) => namespace));
    return [...names.add(defaultNamespace)].sort();
  }

  collections(namespace: string): readonly CollectionInfo[] {
    return this.#sorted.filter((info) => info.namespace === namespace);
  }

  find(namespace: string, name: string): CollectionInfo | undefined {
    return this.#byName.get(fullName(namespace, name));
  }

  byId(id: number): CollectionInfo | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined || entry.isDropped ? undefined : entry.info;
  }

  /** Also of dropped collections. */
  entry(id: number): CatalogEntry | undefined {
    return this.#entries.get(id);
  }

  all(): readonly CollectionInfo[] {
    return this.#sorted;
  }

  /** The same under another number, for a catalog that replaces one. */
  asVersion(version: number): CatalogView {
    return new CatalogView(version, this.#entries.values());
  }

  with(entry: CatalogEntry): CatalogView {
    return new CatalogView(this.version + 1, [...this.#entries.values(), entry]);
  }
}

function fullName(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
