import { equalBytes, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { CollectionInfo, IndexInfo } from '../contract/catalog.ts';
import { ownerOfEntry, type RawEntry } from '../index/entries.ts';
import { keyText, type KeyText } from '../keys.ts';
import { PendingEntry } from './overlay.ts';
import type { TransactionState } from './state.ts';

/** One entry to be put or removed by a write. */
export interface EntryChange {
  readonly index: IndexInfo;
  readonly key: Uint8Array;
  /** Undefined: removed. */
  readonly value: Uint8Array | undefined;
  /** Whether the same entity has an entry of this key already. */
  readonly replaces: boolean;
  /** What must be looked up in the snapshot first: whose entry that is. */
  readonly needsOwner: boolean;
}

const none: readonly RawEntry[] = [];

/** What a write does to the indexes of its collection: only entries that differ are touched. */
export function entryChanges(
  state: TransactionState,
  collection: CollectionInfo,
  owner: Uint8Array,
  documents: { readonly before: Value | undefined; readonly after: Value | undefined },
): EntryChange[] {
  const changes: EntryChange[] = [];
  const { before, after } = documents;
  for (const index of collection.indexes) {
    const encoder = state.context.encoderOf(index);
    const old = before === undefined ? none : encoder.entriesOf(before, owner);
    const now = after === undefined ? none : encoder.entriesOf(after, owner);
    if (old.length === 0) for (const entry of now) changes.push(added(index, entry));
    else difference(index, old, now, changes);
  }
  return changes;
}

function difference(
  index: IndexInfo,
  old: readonly RawEntry[],
  now: readonly RawEntry[],
  changes: EntryChange[],
): void {
  const oldByText = new Map(old.map((entry) => [keyText(entry.key), entry]));
  for (const entry of now) {
    const text = keyText(entry.key);
    const same = oldByText.get(text);
    oldByText.delete(text);
    if (same === undefined) changes.push(added(index, entry));
    else if (!equalBytes(same.value, entry.value))
      changes.push({ ...added(index, entry), replaces: true, needsOwner: false });
  }
  // While a unique index is being built, the entry may belong to another entity.
  const needsOwner = index.unique && index.state === 'building';
  for (const { key } of oldByText.values())
    changes.push({ index, key, value: undefined, replaces: true, needsOwner });
}

function added(index: IndexInfo, { key, value }: RawEntry): EntryChange {
  return { index, key, value, replaces: false, needsOwner: index.unique };
}

/**
 * Drops removals of entries that belong to others, throws UNIQUE_VIOLATION where an entry would be
 * taken from another entity. `stored` tells what the snapshot has for entries that need an owner.
 */
export function checkOwners(
  state: TransactionState,
  changes: readonly EntryChange[],
  owner: Uint8Array,
  stored: ReadonlyMap<KeyText, Uint8Array | undefined>,
): readonly EntryChange[] {
  if (!changes.some(({ needsOwner }) => needsOwner)) return changes;
  return changes.filter((change) => {
    if (!change.needsOwner) return true;
    const { index, key } = change;
    const text = keyText(key);
    const pending = state.overlay.entries.get(text);
    const value = pending === undefined ? stored.get(text) : pending.value;
    const isFree = value === undefined;
    const isOwn = !isFree && equalBytes(ownerOfEntry(index, key, value), owner);
    if (change.value === undefined) {
      // Whoever puts an entry there meanwhile, the builder above all, must make this one conflict.
      if (!isOwn) state.guards.add(text);
      return isOwn;
    }
    if (!isFree && !isOwn) {
      state.noteRead(text);
      refuse(index);
    }
    return true;
  });
}

function refuse(index: IndexInfo): never {
  throw themisError('UNIQUE_VIOLATION', {
    message: `another entity has the same value of ${index.fields.join(', ')} in unique index "${index.name}"`,
    details: { index: index.name, fields: index.fields },
  });
}

/** `isFresh`: nothing is pending for this entity yet, so no entry of its own can be either. */
export function bufferChanges(
  state: TransactionState,
  changes: readonly EntryChange[],
  isFresh: boolean,
): void {
  const { overlay } = state;
  for (const { index, key, value, replaces } of changes) {
    if (isFresh && !index.unique) {
      overlay.entries.append(new PendingEntry(key, { index, existed: replaces, value }));
    } else {
      const existed = overlay.entries.get(keyText(key))?.existed ?? replaces;
      overlay.entries.set(new PendingEntry(key, { index, existed, value }));
    }
    overlay.bytes += key.length + (value?.length ?? 0) + 8;
  }
}
