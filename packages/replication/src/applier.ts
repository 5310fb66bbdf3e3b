import { assert, probe, type Env } from '@themisdb/base';
import {
  decodeConfChange,
  isConfChangeEntry,
  type ConfState,
  type Entry,
  type RawNode,
} from '@themisdb/raft';
import type { LogEntry, StateMachine } from '@themisdb/storage';
import { encodeConfState } from './message-codec.ts';
import type { ReplicaLog } from './replica-log.ts';

export interface ApplierParts {
  readonly env: Pick<Env, 'log'>;
  readonly nodeId: number;
  readonly machine: StateMachine;
  readonly log: ReplicaLog;
  readonly node: RawNode;
  /** Members until a change of membership was applied. */
  readonly firstMembers: ConfState;
  readonly membersChanged: (members: ConfState) => void;
  /** The last place of a snapshot that the core has taken, installed or not. */
  readonly restoredTo: () => number;
}

/** Hands committed entries to the store, and changes of members to the core as well. */
export class Applier {
  readonly #parts: ApplierParts;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
  }

  async apply(entries: readonly Entry[]): Promise<void> {
    const { machine, log, nodeId } = this.#parts;
    const change = this.#missing(entries).findLast(isConfChangeEntry);
    if (change !== undefined) await log.saveState({ changedAt: change.index });
    const fresh = this.#missing(entries).map((entry) => this.#logEntry(entry));
    if (fresh.length === 0) return;
    probe('replica applies', { nodeId, entries: fresh });
    await machine.apply(this.#withMembership(fresh));
    if (fresh.some(({ membership }) => membership !== undefined)) this.cutFirstEntries();
  }

  /**
   * A snapshot may have brought some of them, or be about to. Then the core has its members already, and a
   * change before it must not be made upon them.
   */
  #missing(entries: readonly Entry[]): readonly Entry[] {
    const { machine, restoredTo } = this.#parts;
    const from = Math.max(machine.applied.index, restoredTo());
    return entries.filter(({ index }) => index > from);
  }

  /**
   * Who joins does not know the first members: whoever leads, it must get a snapshot, not the entries
   * from the first one on.
   */
  cutFirstEntries(): void {
    const { log, machine } = this.#parts;
    if (log.cache.before.index === 0) log.cache.compact(machine.applied.index);
  }

  #logEntry(entry: Entry): LogEntry {
    const { index, term, data } = entry;
    if (!isConfChangeEntry(entry)) return { index, term, data };
    const { node, env, membersChanged } = this.#parts;
    const change = decodeConfChange(entry);
    assert(change !== undefined, () => `entry ${index} is no change of membership`);
    this.cutFirstEntries();
    const confState = node.applyConfChange(change);
    membersChanged(confState);
    env.log.write('info', 'the members changed', { ...confState });
    return { index, term, data: undefined, membership: encodeConfState(confState) };
  }

  /** The first members are stored with the first entry: snapshots have to name them. */
  #withMembership(entries: readonly LogEntry[]): readonly LogEntry[] {
    const { machine, firstMembers } = this.#parts;
    const [first, ...rest] = entries;
    if (machine.membership !== undefined || first!.membership !== undefined) return entries;
    return [{ ...first!, membership: encodeConfState(firstMembers) }, ...rest];
  }
}
