import { themisError, type Uuid } from '@themisdb/protocol';
import type { KvSnapshot } from '@themisdb/kv';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { RememberedAnswer, Timestamp, TransactionOptions } from '../contract/transaction.ts';
import type { StoreContext } from '../context.ts';
import type { KeyText } from '../keys.ts';
import type { VersionCell } from '../record.ts';
import { Overlay } from './overlay.ts';
import { ReadSet } from './read-set.ts';
import type { View } from './views.ts';

/** What the reading, writing and committing parts of one transaction share. */
export class TransactionState {
  readonly context: StoreContext;
  readonly view: View;
  readonly readOnly: boolean;
  readonly asOf: Timestamp | undefined;
  readonly overlay: Overlay = new Overlay();
  /** Absent where reads are not validated. */
  readonly reads: ReadSet | undefined;
  /** Keys that must not have changed at commit, whatever the isolation. */
  readonly guards: Set<KeyText> = new Set<KeyText>();
  readonly cell: VersionCell;
  /** Change of the number of entities, by collection. */
  readonly counts: Map<number, number> = new Map<number, number>();
  readonly answers: Map<string, RememberedAnswer> = new Map<string, RememberedAnswer>();
  /** Keys under which the snapshot has no answer. */
  readonly unanswered: Set<string> = new Set<string>();
  status: 'open' | 'committing' | 'committed' | 'rolled-back' = 'open';
  writes = 0;

  constructor(context: StoreContext, options: TransactionOptions) {
    this.context = context;
    this.asOf = options.asOf;
    this.readOnly = options.readOnly === true || options.asOf !== undefined;
    const isSerializable = (options.isolation ?? 'serializable') === 'serializable';
    this.reads = isSerializable && !this.readOnly ? new ReadSet() : undefined;
    this.cell = { version: provisionalVersion(context) };
    this.view = context.views.hold();
  }

  snapshot(): KvSnapshot {
    return this.view.snapshot();
  }

  mustBeOpen(): void {
    if (this.status === 'open') {
      this.context.pipeline.mustBeAlive();
      return;
    }
    throw themisError('TRANSACTION_ENDED', {
      message: `the transaction is ${this.status}; begin another one`,
    });
  }

  recordKey(collection: CollectionInfo, uuid: Uuid): Uint8Array {
    return this.context.keys.record(collection.id, this.context.tokenOf(uuid), uuid);
  }

  noteRead(text: KeyText): void {
    this.reads?.addKey(text);
  }

  addCount(collectionId: number, change: number): void {
    this.counts.set(collectionId, (this.counts.get(collectionId) ?? 0) + change);
  }

  end(status: 'committed' | 'rolled-back'): void {
    this.status = status;
    this.context.views.release(this.view);
  }
}

/**
 * What `_rev` of a buffered write shows: beyond every real timestamp and different in every
 * transaction, so that it can be found and replaced once the final one is known.
 */
function provisionalVersion(context: StoreContext): Timestamp {
  const { random } = context.env;
  return 0xffff_0000_0000_0000n | (BigInt(random.u32() & 0xffff) << 32n) | BigInt(random.u32());
}
