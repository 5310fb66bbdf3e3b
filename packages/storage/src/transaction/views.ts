import { assert } from '@themisdb/base';
import type { KvEngine, KvSnapshot } from '@themisdb/kv';
import type { CatalogView } from '../catalog/catalog.ts';
import type { Timestamp } from '../contract/transaction.ts';

/** The state after one command: what a transaction sees. Shared by all that begin in between. */
export class View {
  readonly index: number;
  readonly timestamp: Timestamp;
  readonly catalog: CatalogView;
  readonly #engine: KvEngine;
  #holders = 0;
  #snapshot: KvSnapshot | undefined;

  constructor(
    engine: KvEngine,
    at: { readonly index: number; readonly timestamp: Timestamp; readonly catalog: CatalogView },
  ) {
    this.#engine = engine;
    this.index = at.index;
    this.timestamp = at.timestamp;
    this.catalog = at.catalog;
  }

  get isHeld(): boolean {
    return this.#holders > 0;
  }

  /** Made on first use, and before the engine moves on. */
  snapshot(): KvSnapshot {
    return (this.#snapshot ??= this.#engine.snapshot());
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    assert(this.#holders >= 0, 'a view was released more often than held');
    if (this.#holders === 0) this.#drop();
  }

  #drop(): void {
    this.#snapshot?.release();
    this.#snapshot = undefined;
  }
}

/** The current view and those that open transactions still hold. */
export class Views {
  #current: View;
  #older: View[] = [];
  #openCount = 0;
  #isClosed = false;

  constructor(first: View) {
    this.#current = first;
    first.hold();
  }

  get current(): View {
    return this.#current;
  }

  get openCount(): number {
    return this.#openCount;
  }

  hold(): View {
    this.#openCount++;
    this.#current.hold();
    return this.#current;
  }

  release(view: View): void {
    this.#openCount--;
    view.release();
  }

  /** To be called right before the engine is written to: the current view must not see that. */
  freeze(): void {
    if (this.#current.isHeld) this.#current.snapshot();
  }

  /** To be called once the engine shows the new state. */
  publish(next: View): void {
    const previous = this.#current;
    this.#current = next;
    if (!this.#isClosed) {
      next.hold();
      previous.release();
    }
    this.#older = [...this.#older, previous].filter((view) => view.isHeld);
  }

  /**
   * Lets go of the current view; those of transactions still open go with them. What a log gives until it
   * hears of the end moves the engine on, unseen.
   */
  close(): void {
    this.#isClosed = true;
    this.#current.release();
  }

  /** The log index of the oldest view anyone may still validate from. */
  oldestIndex(): number {
    this.#older = this.#older.filter((view) => view.isHeld);
    return this.#older[0]?.index ?? this.#current.index;
  }
}
