import { equalBytes, hasCode, utf8Encode, type Env, type TimerHandle } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { ConfState, Snapshot } from '@themisdb/raft';
import type { HeldState, StateMachine } from '@themisdb/storage';
import type { SnapshotRequest } from './contract.ts';
import { decodeConfState } from './message-codec.ts';
import { chunksOf, encodeEnd, encodeHead } from './snapshot-chunks.ts';

export interface OutgoingOptions {
  readonly env: Pick<Env, 'timers' | 'random' | 'log'>;
  readonly machine: StateMachine;
  /** Membership while the store has none stored. */
  readonly confState: ConfState;
  readonly bytesPerSecond: number;
  readonly chunkBytes: number;
  /** A snapshot nobody has read from for so long is given up. */
  readonly idleMs: number;
}

interface Held {
  readonly id: string;
  readonly state: HeldState;
  readonly snapshot: Snapshot;
  readers: number;
  timer: TimerHandle | undefined;
}

/**
 * States this replica holds still for others to fetch. The core is handed the metadata at once; the
 * entries are read from the engine's snapshot when a peer asks, at a limited rate. A peer that broke off
 * goes on behind the last key it has, as long as the state is held.
 */
export class OutgoingSnapshots {
  readonly #options: OutgoingOptions;
  readonly #held = new Map<string, Held>();
  #latest: Held | undefined;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /**
   * What is held, when it reaches `firstIndex - 1` and the members are still the same: who joined since
   * would not take it. Else a state of now.
   */
  snapshot(firstIndex: number): Snapshot {
    const latest = this.#latest;
    if (latest !== undefined && latest.snapshot.metadata.index >= firstIndex - 1) {
      const { membership } = this.#options.machine;
      if (isSame(latest.state.membership, membership)) return latest.snapshot;
    }
    const state = this.#options.machine.hold();
    const { index, term } = state.applied;
    const confState =
      state.membership === undefined ? this.#options.confState : decodeConfState(state.membership);
    const id = `${index}-${term}-${this.#options.env.random.u32().toString(36)}`;
    const snapshot = { metadata: { index, term, confState }, data: utf8Encode(id) };
    const held: Held = { id, state, snapshot, readers: 0, timer: undefined };
    this.#held.set(id, held);
    this.#latest = held;
    this.#rest(held);
    return snapshot;
  }

  /** The chunks of a held state, or without an id of one of now. SNAPSHOT_GONE. */
  async *serve({ id, after }: SnapshotRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    if (id === undefined) this.snapshot(this.#options.machine.applied.index + 1);
    const held = id === undefined ? this.#latest : this.#held.get(id);
    if (held === undefined) throw gone(id);
    held.readers++;
    held.timer?.cancel();
    try {
      yield encodeHead({ id: held.id, ...held.snapshot.metadata });
      // Counted from the start, also for a reader that goes on in the middle.
      let count = after === undefined ? 0 : await countUpTo(held.state, after);
      this.#mustHold(held);
      for await (const chunk of chunksOf(held.state.entries(after), this.#options.chunkBytes)) {
        signal.throwIfAborted();
        this.#mustHold(held);
        count += chunk.count;
        yield chunk.bytes;
        await this.#pause(chunk.bytes.length, signal);
      }
      yield encodeEnd(count);
    } catch (error) {
      // This replica goes on with what is whole: its copy may be the best there is.
      if (hasCode(error, 'DATA_CORRUPT'))
        this.#options.env.log.write('error', 'the state that a peer asked for is damaged here', {
          reason: error.message,
        });
      throw error;
    } finally {
      held.readers--;
      this.#rest(held);
    }
  }

  /** Whether a peer is reading the state of that index now. */
  isRead(index: number): boolean {
    for (const { snapshot, readers } of this.#held.values())
      if (snapshot.metadata.index === index && readers > 0) return true;
    return false;
  }

  close(): void {
    for (const held of Array.from(this.#held.values())) this.#drop(held);
  }

  #pause(bytes: number, signal: AbortSignal): Promise<void> {
    const { env, bytesPerSecond } = this.#options;
    if (!Number.isFinite(bytesPerSecond)) return env.timers.yield();
    return env.timers.sleep((1000 * bytes) / bytesPerSecond, signal);
  }

  /** What the replica let go of when it closed must not be read, nor let go of once more. */
  #mustHold({ id }: Held): void {
    if (!this.#held.has(id)) throw gone(id);
  }

  #rest(held: Held): void {
    if (!this.#held.has(held.id)) return;
    const { env, idleMs } = this.#options;
    held.timer?.cancel();
    held.timer = env.timers.after(idleMs, () => {
      if (held.readers === 0) this.#drop(held);
    });
  }

  #drop(held: Held): void {
    held.timer?.cancel();
    this.#held.delete(held.id);
    if (this.#latest === held) this.#latest = undefined;
    held.state.release();
  }
}

function gone(id: string | undefined): Error {
  return themisError('SNAPSHOT_GONE', { message: `snapshot ${id} is not held here` });
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equalBytes(a, b));
}

async function countUpTo(state: HeldState, key: Uint8Array): Promise<number> {
  let count = 0;
  for await (const batch of state.entries()) {
    for (const entry of batch) {
      count++;
      if (entry.key.length === key.length && entry.key.every((byte, i) => byte === key[i]))
        return count;
    }
  }
  return count;
}
