import { getU32 } from '../codec/integers.ts';
import { themisError } from '@themisdb/protocol';
import type { KvEngine, KvOperation } from '@themisdb/kv';
import type { Wal } from '@themisdb/wal';
import { decodeEntry, openValue, sealValue } from '../catalog/catalog-codec.ts';
import { CatalogView, type CatalogEntry } from '../catalog/catalog.ts';
import { IndexStatisticsBook } from '../index/statistics.ts';
import { checkFormatVersion, formatVersionCurrent } from '../format-versions.ts';
import { metaName, ownerOf, rangeOf, space, spaceOf, type KeySpace } from '../keys.ts';
import { decodeApplied, encodeApplied, nothingApplied, type Applied } from './applied.ts';
import { decodeRetained, type Retained } from './retained.ts';
import { operationsOf, PartCollector, timestampOfCommand } from './command.ts';
import { Counters, decodeCount } from './counters.ts';

const batchBytesMax: number = 8 * 1024 * 1024;

/** What an open store knows from the start. */
export interface Recovered {
  readonly applied: Applied;
  readonly catalog: CatalogView;
  readonly counters: Counters;
  readonly ids: { readonly collection: number; readonly index: number };
  readonly retained: Retained;
  readonly statistics: IndexStatisticsBook;
  readonly replayed: number;
}

/** Brings the engine up to the end of the log and reads the small things into memory. */
export async function recover(
  engine: KvEngine,
  wal: Wal,
  keys: KeySpace,
  group: number,
): Promise<Recovered> {
  await checkFormat(engine, keys);
  const before = await readApplied(engine, keys);
  const statistics = await readStatistics(engine, keys);
  const applied = await replay(engine, wal, keys, { group, from: before, statistics });
  return {
    applied,
    ...(await readCatalog(engine, keys)),
    retained: decodeRetained(await engine.get(keys.meta(metaName.retention))),
    statistics,
    replayed: applied.index - before.index,
  };
}

async function checkFormat(engine: KvEngine, keys: KeySpace): Promise<void> {
  const key = keys.meta(metaName.format);
  const stored = await engine.get(key);
  if (stored !== undefined) {
    checkFormatVersion(openValue(stored, 'the format version') as number);
    return;
  }
  await engine.write([{ type: 'put', key, value: sealValue(formatVersionCurrent) }]);
}

async function readApplied(engine: KvEngine, keys: KeySpace): Promise<Applied> {
  const stored = await engine.get(keys.meta(metaName.applied));
  return stored === undefined ? nothingApplied : decodeApplied(stored);
}

async function replay(
  engine: KvEngine,
  wal: Wal,
  keys: KeySpace,
  options: {
    readonly group: number;
    readonly from: Applied;
    readonly statistics: IndexStatisticsBook;
  },
): Promise<Applied> {
  const { group, from, statistics } = options;
  checkBounds(wal, group, from);
  const parts = new PartCollector();
  let applied = from;
  let operations: KvOperation[] = [];
  let bytes = 0;
  const write = async (): Promise<void> => {
    if (operations.length === 0) return;
    const value = encodeApplied(applied);
    await engine.write([...operations, { type: 'put', key: keys.meta(metaName.applied), value }]);
    operations = [];
    bytes = 0;
  };
  for await (const records of wal.replay(group, from.index + 1)) {
    for (const record of records) {
      const payload = parts.add(record);
      if (payload === undefined) continue;
      for (const operation of operationsOf(payload, record.index, keys)) {
        operations.push(operation);
        noteReplayed(statistics, operation);
      }
      const { index, term } = record;
      applied = { index, term, timestamp: timestampOfCommand(payload) };
      bytes += payload.length;
      if (bytes >= batchBytesMax) await write();
    }
  }
  await write();
  return applied;
}

/** Statistics are estimates: whether an entry was new or replaced is not asked. */
function noteReplayed(statistics: IndexStatisticsBook, operation: KvOperation): void {
  const key = operation.type === 'deleteRange' ? operation.gte : operation.key;
  if (spaceOf(key) !== space.index) return;
  if (operation.type === 'deleteRange') statistics.drop(ownerOf(key));
  else statistics.note(ownerOf(key), key, false, operation.type === 'put' ? 1 : -1);
}

/** The log must go on where the engine stopped, and must not end before. */
function checkBounds(wal: Wal, group: number, { index }: Applied): void {
  const bounds = wal.bounds(group);
  if (bounds === undefined || (bounds.first <= index + 1 && bounds.last >= index)) return;
  throw themisError('LOG_CORRUPT', {
    message: `the engine has applied the log up to index ${index}, but the log holds ${bounds.first} to ${bounds.last}: they do not belong together`,
    details: { applied: index, first: bounds.first, last: bounds.last },
  });
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
