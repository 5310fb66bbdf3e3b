import { utf8Decode, type Env } from '@themisdb/base';
import type { Message, Snapshot } from '@themisdb/raft';
import type { RaftTransport } from './contract.ts';
import { IncomingSnapshot } from './incoming-snapshot.ts';

export interface SnapshotFetchParts {
  readonly env: Env;
  readonly shard: number;
  readonly transport: RaftTransport | undefined;
  /** All of it is here and checked: the core may be told. */
  readonly fetched: (message: Message) => void;
}

/** Kept after a fetch that broke off, so that the next one goes on from there. */
interface Incoming {
  readonly id: string;
  readonly snapshot: IncomingSnapshot;
  readonly stop: AbortController;
  state: 'fetching' | 'broken' | 'fetched';
}

/**
 * Fetches the snapshots that a leader announces, before the core hears of them: one at a time, the last
 * one announced.
 */
export class SnapshotFetch {
  readonly #parts: SnapshotFetchParts;
  #incoming: Incoming | undefined;
  #isInstalling = false;
  #isClosed = false;

  constructor(parts: SnapshotFetchParts) {
    this.#parts = parts;
  }

  take(from: number, message: Message, snapshot: Snapshot): void {
    const { env, shard, transport, fetched } = this.#parts;
    // The leader is answered when it is done, and may find that nothing more is needed.
    if (this.#isInstalling) return;
    const id = utf8Decode(snapshot.data!);
    const previous = this.#incoming;
    if (previous?.id === id && previous.state === 'fetching') return;
    if (previous?.id === id && previous.state === 'fetched') {
      fetched(message);
      return;
    }
    previous?.stop.abort();
    const stop = new AbortController();
    const incoming =
      previous?.id === id ? previous.snapshot : new IncomingSnapshot(env, { shard, id });
    const current: Incoming = { id, snapshot: incoming, stop, state: 'fetching' };
    this.#incoming = current;
    env.log.write('info', 'fetching a snapshot', { from, ...snapshot.metadata });
    incoming
      .fetch(transport!, from, stop.signal)
      .then(() => {
        if (this.#incoming !== current || this.#isClosed) return undefined;
        current.state = 'fetched';
        fetched(message);
        return undefined;
      })
      .catch((error: unknown) => {
        if (this.#isClosed || this.#incoming !== current) return;
        env.log.write('warn', 'a snapshot could not be fetched', { from, error: String(error) });
        current.state = 'broken';
      });
  }

  /** Runs an installation; resolves with the file of another snapshot that is here or on its way. */
  async installing(id: string, run: (keep: string | undefined) => Promise<void>): Promise<void> {
    this.#isInstalling = true;
    try {
      const next = this.#incoming?.id === id ? undefined : this.#incoming;
      await run(next?.snapshot.file);
      if (this.#incoming?.id === id) this.#incoming = undefined;
    } finally {
      this.#isInstalling = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#incoming?.stop.abort();
  }
}
