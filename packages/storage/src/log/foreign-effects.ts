import { getU32 } from '../codec/integers.ts';
import type { KvOperation } from '@themisdb/kv';
import { decodeEntry, openValue } from '../catalog/catalog-codec.ts';
import type { CatalogView } from '../catalog/catalog.ts';
import type { StoreContext } from '../context.ts';
import { keyText, metaName, ownerOf, space, spaceOf } from '../keys.ts';
import type { TextRange, Written } from '../transaction/recent-writes.ts';
import { decodeCount } from './counters.ts';
import { decodeRetained } from './retained.ts';

/**
 * What memory knows beside the engine (counts, catalog, pages, statistics, recent writes), brought up to
 * commands that another replica formed: read off their operations. Own commands do this while they
 * are formed.
 */
export class ForeignEffects {
  readonly #context: StoreContext;
  readonly #after: (() => void)[] = [];

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** The catalog from this command on. Pages and recent writes change at once, the rest in `publish`. */
  note(index: number, operations: readonly KvOperation[], catalog: CatalogView): CatalogView {
    const written: Written[] = [];
    const ranges: TextRange[] = [];
    let current = catalog;
    for (const operation of operations) {
      if (operation.type === 'deleteRange') this.#noteRange(operation, ranges);
      else current = this.#noteKey(operation, written, current);
    }
    this.#context.recent.record(index, written, ranges);
    return current;
  }

  /** The changes of a command, if it has any. */
  changesOf(operations: readonly KvOperation[]): Uint8Array | undefined {
    for (const operation of operations)
      if (operation.type === 'put' && spaceOf(operation.key) === space.change)
        return operation.value;
    return undefined;
  }

  publish(): void {
    for (const run of this.#after) run();
  }

  #noteRange(
    { gte, lt }: { readonly gte: Uint8Array; readonly lt: Uint8Array },
    ranges: TextRange[],
  ): void {
    const { pages, statistics } = this.#context;
    const where = spaceOf(gte);
    if (where === space.record) pages.drop(ownerOf(gte));
    if (where === space.index) this.#after.push(() => statistics.drop(ownerOf(gte)));
    if (where === space.record || where === space.index)
      ranges.push({ gte: keyText(gte), lt: keyText(lt) });
  }

  #noteKey(
    operation: Exclude<KvOperation, { type: 'deleteRange' }>,
    written: Written[],
    catalog: CatalogView,
  ): CatalogView {
    const { pages, presence, statistics } = this.#context;
    const { key } = operation;
    const where = spaceOf(key);
    if (where === space.meta && operation.type === 'put')
      return this.#noteMeta(key, operation.value, written, catalog);
    if (where === space.record) {
      pages.invalidate(ownerOf(key), key);
      presence.add(key);
      written.push(lazyText(key));
    } else if (where === space.index) {
      presence.add(key);
      written.push(lazyText(key));
      const change = operation.type === 'put' ? 1 : -1;
      this.#after.push(() => statistics.note(ownerOf(key), key, false, change));
    } else if (where === space.dedup) written.push(lazyText(key));
    return catalog;
  }

  #noteMeta(
    key: Uint8Array,
    value: Uint8Array,
    written: Written[],
    catalog: CatalogView,
  ): CatalogView {
    const { counters, memory } = this.#context;
    const id = key.length > 9 ? getU32(key, key.length - 4) : 0;
    switch (String.fromCharCode(key[5]!)) {
      case metaName.collection:
        written.push(lazyText(key));
        return catalog.with(decodeEntry(id, value));
      case metaName.count:
        counters.set(id, decodeCount(value));
        break;
      case metaName.ids: {
        const [collection, index] = openValue(value, 'the next ids') as number[];
        this.#after.push(() => memory.setIds({ collection: collection!, index: index! }));
        break;
      }
      case metaName.retention:
        this.#after.push(() => memory.setRetained(decodeRetained(value)));
    }
    return catalog;
  }
}

function lazyText(key: Uint8Array): Written {
  return {
    get text() {
      return keyText(key);
    },
  };
}
