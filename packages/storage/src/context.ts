import type { Env } from '@themisdb/base';
import type { KvEngine } from '@themisdb/kv';
import type { TokenHash } from '@themisdb/sharding';
import type { PageCache } from './cache/page-cache.ts';
import type { CollectionInfo, IndexInfo } from './contract/catalog.ts';
import type { CollectionRules } from './contract/store.ts';
import type { EntryEncoder } from './index/entries.ts';
import type { IndexStatisticsBook } from './index/statistics.ts';
import type { KeySpace } from './keys.ts';
import type { StoreLimits } from './limits.ts';
import type { Counters } from './log/counters.ts';
import type { Retained } from './log/retained.ts';
import type { CommitPipeline } from './log/pipeline.ts';
import type { HybridClock } from './timestamp.ts';
import type { BodyArena } from './transaction/document.ts';
import type { PresenceBook } from './transaction/key-filter.ts';
import type { KeyMaker } from './transaction/key-maker.ts';
import type { RecentWrites } from './transaction/recent-writes.ts';
import type { Views } from './transaction/views.ts';

/** What the parts of one open store share. */
export interface StoreContext {
  readonly env: Env;
  readonly engine: KvEngine;
  readonly keys: KeySpace;
  readonly limits: StoreLimits;
  readonly clock: HybridClock;
  readonly tokenOf: TokenHash;
  readonly recent: RecentWrites;
  readonly views: Views;
  readonly pipeline: CommitPipeline;
  readonly counters: Counters;
  readonly statistics: IndexStatisticsBook;
  readonly retention: Retention;
  readonly keyMaker: KeyMaker;
  readonly arena: BodyArena;
  readonly presence: PresenceBook;
  readonly pages: PageCache;
  readonly memory: ForeignMemory;
  /** Conflicts refused so far, for `stats()`. */
  conflicts: number;
  encoderOf(index: IndexInfo): EntryEncoder;
  rulesOf(collection: CollectionInfo): CollectionRules | undefined;
}

/** What parts of the store remember besides, told to them when another replica's command changes it. */
export interface ForeignMemory {
  /** Replaced once those parts are made. */
  setIds(ids: { readonly collection: number; readonly index: number }): void;
  setRetained(retained: Retained): void;
}

/** How long what is not current is kept. */
export interface Retention {
  readonly historyMs: number;
  readonly changesMs: number;
  /** Commands with changes. */
  readonly changesMax: number;
  readonly answersMs: number;
}

export const defaultRetention: Retention = {
  historyMs: 24 * 60 * 60 * 1000,
  changesMs: 24 * 60 * 60 * 1000,
  changesMax: 10_000_000,
  answersMs: 24 * 60 * 60 * 1000,
};
