import { assert } from '@themisdb/base';
import type { Uuid } from '@themisdb/protocol';
import type { CollectionInfo, IndexInfo } from '../contract/catalog.ts';
import type { Timestamp, WriteResult } from '../contract/transaction.ts';
import { keyText, type KeyText } from '../keys.ts';
import {
  BufferedRecord,
  type AnyRecord,
  type CommittedRecord,
  type VersionCell,
} from '../record.ts';
import type { CommandBlock } from '../log/command.ts';
import type { Written } from './recent-writes.ts';
import { SortedTexts } from './sorted-texts.ts';

/** Something pending under a key. The text of the key is made when somebody asks for it. */
abstract class Pending {
  readonly key: Uint8Array;
  #text: KeyText | undefined;

  constructor(key: Uint8Array, text?: KeyText) {
    this.key = key;
    this.#text = text;
  }

  get text(): KeyText {
    return (this.#text ??= keyText(this.key));
  }
}

export interface PendingRecordParts {
  readonly collection: CollectionInfo;
  readonly uuid: Uuid;
  /** The entity's `_key`. */
  readonly name: string;
  /** As of the snapshot. */
  readonly committed: CommittedRecord | undefined;
  /** As this write found it: committed, or an earlier write of the transaction. */
  readonly before: AnyRecord | undefined;
  /** Undefined: removed. */
  readonly body: Uint8Array | undefined;
  readonly cell: VersionCell;
}

/** One record this transaction writes. */
export class PendingRecord extends Pending {
  readonly parts: PendingRecordParts;
  #after: BufferedRecord | undefined;

  constructor(key: Uint8Array, parts: PendingRecordParts, text?: KeyText) {
    super(key, text);
    this.parts = parts;
  }

  get committed(): CommittedRecord | undefined {
    return this.parts.committed;
  }

  /** Undefined: removed. */
  get after(): BufferedRecord | undefined {
    const { collection, uuid, body, cell } = this.parts;
    if (body === undefined) return undefined;
    return (this.#after ??= new BufferedRecord(collection, uuid, body, cell));
  }

  result(): WriteResult {
    return new PendingResult(this);
  }
}

/** Millions of these are made by bulk writes that never look at them: all is computed on demand. */
class PendingResult implements WriteResult {
  readonly #pending: PendingRecord;

  constructor(pending: PendingRecord) {
    this.#pending = pending;
  }

  get uuid(): Uuid {
    return this.#pending.parts.uuid;
  }

  get key(): string {
    return this.#pending.parts.name;
  }

  get before(): AnyRecord | undefined {
    return this.#pending.parts.before;
  }

  get after(): BufferedRecord | undefined {
    return this.#pending.after;
  }
}

/** One index entry this transaction writes. */
export class PendingEntry extends Pending {
  readonly index: IndexInfo;
  /** Whether the snapshot has an entry of this key. */
  readonly existed: boolean;
  /** Undefined: removed. */
  readonly value: Uint8Array | undefined;

  constructor(
    key: Uint8Array,
    entry: {
      readonly index: IndexInfo;
      readonly existed: boolean;
      readonly value: Uint8Array | undefined;
    },
  ) {
    super(key);
    this.index = entry.index;
    this.existed = entry.existed;
    this.value = entry.value;
  }
}

/**
 * What a transaction wrote and nobody else sees yet. `mark` and `rollbackTo` undo a write that failed
 * half-way.
 */
export class Overlay {
  readonly #records: PendingMap<PendingRecord> = new PendingMap<PendingRecord>();
  readonly #entries: PendingMap<PendingEntry> = new PendingMap<PendingEntry>();
  #bulk: BulkWrites | undefined;
  /** Bytes the writes will take in the log, roughly. */
  bytes = 0;

  get records(): PendingMap<PendingRecord> {
    if (this.#bulk !== undefined) this.#unpack(this.#bulk);
    return this.#records;
  }

  get entries(): PendingMap<PendingEntry> {
    if (this.#bulk !== undefined) this.#unpack(this.#bulk);
    return this.#entries;
  }

  get isEmpty(): boolean {
    return this.#bulk === undefined && this.#records.isEmpty && this.#entries.isEmpty;
  }

  /** Rows that are all that is pending: the moment somebody asks for one, each stands on its own. */
  get bulk(): BulkWrites | undefined {
    return this.#bulk;
  }

  setBulk(bulk: BulkWrites): void {
    assert(this.isEmpty, 'rows are inserted before all else');
    this.#bulk = bulk;
  }

  #unpack(bulk: BulkWrites): void {
    this.#bulk = undefined;
    bulk.unpack(
      (record) => this.#records.append(record),
      (entry) => this.#entries.append(entry),
    );
  }

  mark(): OverlayMark {
    return { records: this.records.mark(), entries: this.entries.mark(), bytes: this.bytes };
  }

  rollbackTo(mark: OverlayMark): void {
    this.records.rollbackTo(mark.records);
    this.entries.rollbackTo(mark.entries);
    this.bytes = mark.bytes;
  }

  /** The last mark is not needed any more. */
  forgetMark(): void {
    this.records.forgetMark();
    this.entries.forgetMark();
  }
}

/** Many inserts of one batch, not an object each. */
export interface BulkWrites {
  readonly collection: CollectionInfo;
  unpack(record: (each: PendingRecord) => void, entry: (each: PendingEntry) => void): void;
  form(timestamp: Timestamp): BulkFormed;
  /** Whether somebody wrote one of the records after that log index. */
  isChangedSince(index: number): boolean;
}

export interface BulkFormed {
  readonly writes: CommandBlock;
  readonly written: Written;
  readonly changes: Uint8Array;
  readonly applied: () => void;
}

export interface OverlayMark {
  readonly records: number;
  readonly entries: number;
  readonly bytes: number;
}

interface Undo<T> {
  readonly text: KeyText;
  readonly previous: T | undefined;
}

/**
 * Pending items by key. Three stages, each entered only when needed: a list of items known to be new
 * (bulk inserts never leave it), a map by key text, and a sorted map for ranges.
 */
export class PendingMap<T extends { readonly text: KeyText }> {
  /** Items that are in neither map yet; their keys are in nobody else's way. */
  #fresh: T[] = [];
  readonly #byText = new Map<KeyText, T>();
  #sorted: SortedTexts<T> | undefined;
  #undo: Undo<T>[] = [];
  #marks = 0;

  get isEmpty(): boolean {
    return this.#fresh.length === 0 && this.#byText.size === 0;
  }

  get(text: KeyText): T | undefined {
    this.#settle();
    return this.#byText.get(text);
  }

  set(item: T): void {
    this.#settle();
    this.#put(item);
  }

  /** Like `set`, for a key of which the caller knows that nothing is pending under it. */
  append(item: T): void {
    if (this.#marks > 0) this.set(item);
    else this.#fresh.push(item);
  }

  forEach(visit: (item: T) => void): void {
    this.#byText.forEach(visit);
    this.#fresh.forEach(visit);
  }

  /** Items of [gte, lt) in key order, as they are now. */
  slice(gte: KeyText, lt: KeyText): T[] {
    if (this.isEmpty) return [];
    this.#settle();
    if (this.#sorted === undefined) {
      this.#sorted = new SortedTexts<T>();
      for (const item of this.#byText.values()) this.#sorted.set(item.text, item);
    }
    return this.#sorted.slice(gte, lt);
  }

  mark(): number {
    this.#settle();
    this.#marks++;
    return this.#undo.length;
  }

  rollbackTo(mark: number): void {
    while (this.#undo.length > mark) {
      const { text, previous } = this.#undo.pop()!;
      if (previous === undefined) {
        this.#byText.delete(text);
        this.#sorted?.delete(text);
      } else {
        this.#byText.set(text, previous);
        this.#sorted?.set(text, previous);
      }
    }
    this.forgetMark();
  }

  forgetMark(): void {
    this.#marks--;
    if (this.#marks === 0) this.#undo = [];
  }

  #settle(): void {
    if (this.#fresh.length === 0) return;
    for (const item of this.#fresh) this.#put(item);
    this.#fresh = [];
  }

  #put(item: T): void {
    const { text } = item;
    if (this.#marks > 0) this.#undo.push({ text, previous: this.#byText.get(text) });
    this.#byText.set(text, item);
    this.#sorted?.set(text, item);
  }
}
