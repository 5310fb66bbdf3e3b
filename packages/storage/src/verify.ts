import { equalBytes } from '@themisdb/base';
import type { KvEntry } from '@themisdb/kv';
import type { CollectionInfo, IndexInfo } from './contract/catalog.ts';
import type { Store } from './contract/store.ts';
import { decodeValue } from './codec/decode.ts';
import type { StoreContext } from './context.ts';
import { checkEnvelope, envelopeBytes } from './envelope.ts';
import { ownerBytes, ownerOfEntry, type RawEntry } from './index/entries.ts';
import { metaName, rangeOf, space } from './keys.ts';
import { decodeCount } from './log/counters.ts';
import { ShardStore } from './store.ts';
import type { View } from './transaction/views.ts';

/** One thing that does not hold. `what` names places, never values. */
export interface VerifyFault {
  readonly collection: string;
  readonly index?: string | undefined;
  readonly what: string;
}

export interface VerifyReport {
  readonly records: number;
  readonly entries: number;
  readonly faults: readonly VerifyFault[];
}

/** Faults listed; more are only counted as "and so on". */
const faultsMax = 100;

/**
 * Checks a store against itself, on one snapshot and in constant memory: every record and every kept
 * version passes its checksum; every index entry a record must have is there with the right value;
 * there are no other entries; counts are exact. Building indexes are skipped.
 */
export async function verify(store: Store): Promise<VerifyReport> {
  if (!(store instanceof ShardStore)) throw new TypeError('verify() needs a store of openStore()');
  const { context } = store;
  const view = context.views.hold();
  const verifier = new Verifier(context, view);
  try {
    for (const collection of view.catalog.all()) await verifier.collection(collection);
    return verifier.report();
  } finally {
    context.views.release(view);
  }
}

class Verifier {
  readonly #context: StoreContext;
  readonly #view: View;
  readonly #faults: VerifyFault[] = [];
  #records = 0;
  #entries = 0;

  constructor(context: StoreContext, view: View) {
    this.#context = context;
    this.#view = view;
  }

  report(): VerifyReport {
    return { records: this.#records, entries: this.#entries, faults: this.#faults };
  }

  async collection(collection: CollectionInfo): Promise<void> {
    const indexes = collection.indexes.filter(({ state }) => state === 'ready');
    const expected = new Map(indexes.map(({ id }) => [id, 0]));
    let count = 0;
    for await (const batch of this.#scan(this.#owned(space.record, collection.id))) {
      count += batch.length;
      await this.#checkRecords(collection, indexes, batch, expected);
    }
    this.#records += count;
    await this.#checkCount(collection, count);
    for (const index of indexes)
      await this.#checkEntries(collection, index, expected.get(index.id)!);
    await this.#checkHistory(collection);
  }

  async #checkRecords(
    collection: CollectionInfo,
    indexes: readonly IndexInfo[],
    batch: readonly KvEntry[],
    expected: Map<number, number>,
  ): Promise<void> {
    const wanted: (RawEntry & { readonly index: IndexInfo })[] = [];
    for (const record of batch) {
      if (!this.#isSound(collection, record)) continue;
      for (const index of indexes) {
        const entries = this.#entriesOf(index, record);
        expected.set(index.id, expected.get(index.id)! + entries.length);
        for (const entry of entries) wanted.push({ ...entry, index });
      }
    }
    const snapshot = this.#view.snapshot();
    const stored = await this.#context.engine.multiGet(
      wanted.map(({ key }) => key),
      { snapshot },
    );
    wanted.forEach(({ index, value }, i) => {
      const there = stored[i];
      if (there === undefined) this.#fault(collection, 'an entry is missing', index);
      else if (!equalBytes(there, value))
        this.#fault(collection, 'an entry has a wrong value', index);
    });
  }

  #isSound(collection: CollectionInfo, { value }: KvEntry): boolean {
    try {
      checkEnvelope(value);
      return true;
    } catch {
      this.#fault(collection, 'a record failed its checksum');
      return false;
    }
  }

  #entriesOf(index: IndexInfo, { key, value }: KvEntry): RawEntry[] {
    const owner = key.subarray(key.length - ownerBytes);
    return this.#context.encoderOf(index).entriesOf(decodeValue(value, envelopeBytes), owner);
  }

  /** As every expected entry was found, equal numbers mean that there are no others. */
  async #checkEntries(
    collection: CollectionInfo,
    index: IndexInfo,
    expected: number,
  ): Promise<void> {
    let count = 0;
    for await (const batch of this.#scan(this.#owned(space.index, index.id))) {
      count += batch.length;
      for (const { key, value } of batch) {
        if (ownerOfEntry(index, key, value).length !== ownerBytes)
          this.#fault(collection, 'an entry has no owner', index);
      }
    }
    this.#entries += count;
    if (count !== expected)
      this.#fault(collection, `there are ${count} entries instead of ${expected}`, index);
  }

  async #checkCount(collection: CollectionInfo, count: number): Promise<void> {
    const { engine, keys } = this.#context;
    const key = keys.meta(metaName.count, collection.id);
    const stored = decodeCount(await engine.get(key, { snapshot: this.#view.snapshot() }));
    if (stored !== count)
      this.#fault(collection, `the count says ${stored}, there are ${count} records`);
  }

  async #checkHistory(collection: CollectionInfo): Promise<void> {
    for await (const batch of this.#scan(this.#owned(space.history, collection.id))) {
      for (const entry of batch) {
        this.#isSound(collection, entry);
      }
    }
  }

  #owned(of: 2 | 3 | 4, id: number): Uint8Array {
    return this.#context.keys.owned(of, id);
  }

  #scan(prefix: Uint8Array): AsyncIterable<KvEntry[]> {
    return this.#context.engine.scan(rangeOf(prefix), {
      snapshot: this.#view.snapshot(),
      batchEntries: 1000,
    });
  }

  #fault(collection: CollectionInfo, what: string, index?: IndexInfo): void {
    if (this.#faults.length > faultsMax) return;
    const isLast = this.#faults.length === faultsMax;
    this.#faults.push({
      collection: collection.name,
      index: index?.name,
      what: isLast ? 'and so on' : what,
    });
  }
}
