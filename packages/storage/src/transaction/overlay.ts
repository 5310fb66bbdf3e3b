import type { Uuid } from '@themisdb/protocol';
import type { CollectionInfo, IndexInfo } from '../contract/catalog.ts';
import type { KeyText } from '../keys.ts';
import type { BufferedRecord, CommittedRecord } from '../record.ts';
import { SortedTexts } from './sorted-texts.ts';

/** One record this transaction writes. */
export interface PendingRecord {
  readonly key: Uint8Array;
  readonly text: KeyText;
  readonly collection: CollectionInfo;
  readonly uuid: Uuid;
  /** As of the snapshot. */
  readonly before: CommittedRecord | undefined;
  /** Undefined: removed. */
  readonly after: BufferedRecord | undefined;
}

/** One index entry this transaction writes. */
export interface PendingEntry {
  readonly key: Uint8Array;
  readonly text: KeyText;
  readonly index: IndexInfo;
  /** Whether the snapshot has an entry of this key. */
  readonly existed: boolean;
  /** Undefined: removed. */
  readonly value: Uint8Array | undefined;
}

/**
 * What a transaction wrote and nobody else sees yet. Sorted only once a range of it is asked for.
 * `mark` and `rollbackTo` undo a write that failed half-way.
 */
export class Overlay {
  readonly records: PendingMap<PendingRecord> = new PendingMap<PendingRecord>();
  readonly entries: PendingMap<PendingEntry> = new PendingMap<PendingEntry>();
  /** Bytes the writes will take in the log, roughly. */
  bytes = 0;

  get isEmpty(): boolean {
    return this.records.size === 0 && this.entries.size === 0;
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

export interface OverlayMark {
  readonly records: number;
  readonly entries: number;
  readonly bytes: number;
}

interface Undo<T> {
  readonly text: KeyText;
  readonly previous: T | undefined;
}

export class PendingMap<T extends { readonly text: KeyText }> {
  readonly #byText = new Map<KeyText, T>();
  #sorted: SortedTexts<T> | undefined;
  #undo: Undo<T>[] = [];
  #marks = 0;

  get size(): number {
    return this.#byText.size;
  }

  get(text: KeyText): T | undefined {
    return this.#byText.get(text);
  }

  set(item: T): void {
    const { text } = item;
    if (this.#marks > 0) this.#undo.push({ text, previous: this.#byText.get(text) });
    this.#byText.set(text, item);
    this.#sorted?.set(text, item);
  }

  values(): IterableIterator<T> {
    return this.#byText.values();
  }

  /** Items of [gte, lt) in key order, as they are now. */
  slice(gte: KeyText, lt: KeyText): T[] {
    if (this.#byText.size === 0) return [];
    if (this.#sorted === undefined) {
      this.#sorted = new SortedTexts<T>();
      for (const item of this.#byText.values()) this.#sorted.set(item.text, item);
    }
    return this.#sorted.slice(gte, lt);
  }

  mark(): number {
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
}
