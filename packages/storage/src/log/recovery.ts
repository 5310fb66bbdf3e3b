import { getU32 } from '../codec/integers.ts';
import type { KvEngine } from '@themisdb/kv';
import { decodeEntry, openValue, sealValue } from '../catalog/catalog-codec.ts';
import { CatalogView, type CatalogEntry } from '../catalog/catalog.ts';
import { IndexStatisticsBook } from '../index/statistics.ts';
import { checkFormatVersion, formatVersionCurrent } from '../format-versions.ts';
import { metaName, rangeOf, type KeySpace } from '../keys.ts';
import { decodeApplied, nothingApplied, type Applied } from './applied.ts';
import { decodeRetained, type Retained } from './retained.ts';
import { Counters, decodeCount } from './counters.ts';

/** What an open store knows from the start. */
export interface Recovered {
  readonly applied: Applied;
  readonly catalog: CatalogView;
  readonly counters: Counters;
  readonly ids: { readonly collection: number; readonly index: number };
  readonly retained: Retained;
  readonly statistics: IndexStatisticsBook;
  /** Encoded by the log; absent where none was ever stored. */
  readonly membership: Uint8Array | undefined;
}

/** Reads what the engine holds; what the log has beyond it comes through `StateMachine.apply`. */
export async function recover(engine: KvEngine, keys: KeySpace): Promise<Recovered> {
  await checkFormat(engine, keys);
  return {
    applied: await readApplied(engine, keys),
    membership: await engine.get(keys.meta(metaName.membership)),
    ...(await readCatalog(engine, keys)),
    retained: decodeRetained(await engine.get(keys.meta(metaName.retention))),
    statistics: await readStatistics(engine, keys),
  };
}

async function checkFormat(engine: KvEngine, keys: KeySpace): Promise<void> {
  const key = keys.meta(metaName.format);
  const stored = await engine.get(key);
  const version = stored && (openValue(stored, 'the format version') as number);
  if (version !== undefined) checkFormatVersion(version);
  if (version === formatVersionCurrent) return;
  // Of every older format the data is as it is now; what is written from here on may not be.
  await engine.write([{ type: 'put', key, value: sealValue(formatVersionCurrent) }]);
}

async function readApplied(engine: KvEngine, keys: KeySpace): Promise<Applied> {
  const stored = await engine.get(keys.meta(metaName.applied));
  return stored === undefined ? nothingApplied : decodeApplied(stored);
}

async function readStatistics(engine: KvEngine, keys: KeySpace): Promise<IndexStatisticsBook> {
  const statistics = new IndexStatisticsBook();
  for await (const batch of engine.scan(rangeOf(keys.meta(metaName.statistics)))) {
    for (const { key, value } of batch) statistics.load(idAtEnd(key), value);
  }
  return statistics;
}

async function readCatalog(
  engine: KvEngine,
  keys: KeySpace,
): Promise<Pick<Recovered, 'catalog' | 'counters' | 'ids'>> {
  const entries: CatalogEntry[] = [];
  for await (const batch of engine.scan(rangeOf(keys.meta(metaName.collection)))) {
    for (const { key, value } of batch) entries.push(decodeEntry(idAtEnd(key), value));
  }
  const counters = new Counters();
  for await (const batch of engine.scan(rangeOf(keys.meta(metaName.count)))) {
    for (const { key, value } of batch) counters.set(idAtEnd(key), decodeCount(value));
  }
  const stored = await engine.get(keys.meta(metaName.ids));
  const ids = stored === undefined ? [1, 1] : (openValue(stored, 'the next ids') as number[]);
  return {
    catalog: new CatalogView(1, entries),
    counters,
    ids: { collection: ids[0]!, index: ids[1]! },
  };
}

function idAtEnd(key: Uint8Array): number {
  return getU32(key, key.length - 4);
}
