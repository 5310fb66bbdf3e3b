import type { KvWrite } from '@themisdb/kv';
import type { CatalogView } from '../catalog/catalog.ts';
import { changeCount } from '../changes/change-codec.ts';
import type { AppliedPlace, LogEntry } from '../contract/command-log.ts';
import type { ChangeToken } from '../contract/store.ts';
import type { StoreContext } from '../context.ts';
import { metaName } from '../keys.ts';
import { encodeApplied } from './applied.ts';
import { operationsOf, timestampOfCommand } from './command.ts';
import type { PartCollector } from './entries.ts';
import { ForeignEffects } from './foreign-effects.ts';
import type { Proposals, Proposed } from './proposals.ts';

/** What one call of `apply` is going to do to the engine, and to memory after it. */
export class ApplyStep {
  readonly operations: KvWrite[] = [];
  /** Commits of this replica among the entries. */
  readonly own: Proposed[] = [];
  applied: AppliedPlace;
  catalog: CatalogView;
  lastChange: ChangeToken | undefined;
  membership: Uint8Array | undefined;
  bytes = 0;
  commands = 0;
  readonly #context: StoreContext;
  readonly #foreign: ForeignEffects;

  constructor(context: StoreContext, applied: AppliedPlace) {
    this.#context = context;
    this.applied = applied;
    this.catalog = context.views.current.catalog;
    this.#foreign = new ForeignEffects(context);
  }

  add(entry: LogEntry, proposals: Proposals, parts: PartCollector): void {
    if (entry.membership !== undefined) this.membership = entry.membership;
    const own = proposals.take(entry);
    if (own === undefined) this.#addBytes(entry, parts);
    else this.#addOwn(own, parts);
    // A command whose last part is missing is read again from its first part after a restart.
    if (parts.isOpen) return;
    const { index, term } = entry;
    this.applied = { index, term, timestamp: this.applied.timestamp };
  }

  /** Closes the batch: the applied place goes with the effects. */
  finish(): void {
    const { keys } = this.#context;
    if (this.membership !== undefined)
      this.operations.push({
        type: 'put',
        key: keys.meta(metaName.membership),
        value: this.membership,
      });
    const value = encodeApplied(this.applied);
    this.operations.push({ type: 'put', key: keys.meta(metaName.applied), value });
  }

  /** Once the engine shows the new state. */
  publish(): void {
    this.#foreign.publish();
    for (const each of this.own) each.formed.applied?.(each);
  }

  #addOwn(own: Proposed, parts: PartCollector): void {
    parts.clear();
    const { formed, index, timestamp } = own;
    const { operations, changes } = formed.command;
    for (const operation of operations) this.operations.push(operation);
    if (changes !== undefined) this.#addChanges(index, changes);
    if (formed.catalog !== undefined) this.catalog = formed.catalog;
    this.own.push(own);
    this.commands++;
    this.applied = { ...this.applied, timestamp };
  }

  /**
   * What another replica formed, and parts of an own command before its last: should this replica be
   * deposed before that one comes, it is another's, and the bytes are all there is.
   */
  #addBytes(entry: LogEntry, parts: PartCollector): void {
    const payload = parts.add(entry.data);
    if (payload === undefined) return;
    const { keys, clock } = this.#context;
    const timestamp = timestampOfCommand(payload);
    const operations = operationsOf(payload, entry.index, keys);
    for (const operation of operations) this.operations.push(operation);
    this.catalog = this.#foreign.note(entry.index, operations, this.catalog);
    const changes = this.#foreign.changesOf(operations);
    if (changes !== undefined)
      this.lastChange = { index: entry.index, n: changeCount(changes) - 1 };
    clock.observe(timestamp);
    this.bytes += payload.length;
    this.commands++;
    this.applied = { ...this.applied, timestamp };
  }

  #addChanges(index: number, changes: Uint8Array): void {
    this.operations.push({ type: 'put', key: this.#context.keys.change(index), value: changes });
    this.lastChange = { index, n: changeCount(changes) - 1 };
  }
}
