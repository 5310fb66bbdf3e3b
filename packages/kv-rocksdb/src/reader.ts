import { readAll, type NativeSession, type ReadResult } from './binding.ts';
import { fromNative } from './errors.ts';
import { atEndOfTurn } from './turn.ts';

export type Values = (Uint8Array | undefined)[];

interface Request {
  /** Place of its first key among the keys of the turn. */
  readonly at: number;
  readonly count: number;
  readonly resolve: (values: Values) => void;
  readonly reject: (error: unknown) => void;
}

interface Turn {
  readonly keys: Uint8Array[];
  readonly requests: Request[];
}

/** Keys below which a native call is not worth splitting: about half a millisecond of reading. */
const splitKeysMin = 128;
/** Native calls a turn is split into at most: the default number of pool threads. */
const splitMax = 4;

/**
 * Reads of single keys. A native call costs as much as reading several keys, so all requests of one
 * turn of the event loop on one view share a call. Many keys are split over the threads of the pool,
 * on one snapshot, so that nobody sees part of a batch.
 */
export class Reader {
  readonly #live: NativeSession;
  readonly #turns = new Map<NativeSession, Turn>();

  constructor(live: NativeSession) {
    this.#live = live;
  }

  /** Values in the order of the keys. `session` may be closed once `send(session)` ran. */
  read(session: NativeSession, keys: readonly Uint8Array[]): Promise<Values> {
    return new Promise((resolve, reject) => {
      const turn = this.#turn(session);
      turn.requests.push({ at: turn.keys.length, count: keys.length, resolve, reject });
      for (const key of keys) turn.keys.push(key);
    });
  }

  /** Starts what waits for the end of the turn now. */
  send(session: NativeSession): void {
    const turn = this.#turns.get(session);
    if (turn === undefined) return;
    this.#turns.delete(session);
    void this.#answer(session, turn);
  }

  #turn(session: NativeSession): Turn {
    const waiting = this.#turns.get(session);
    if (waiting !== undefined) return waiting;
    const turn: Turn = { keys: [], requests: [] };
    this.#turns.set(session, turn);
    atEndOfTurn(() => this.send(session));
    return turn;
  }

  async #answer(session: NativeSession, { keys, requests }: Turn): Promise<void> {
    try {
      const results = await this.#readSplit(session, keys);
      const anyFailed = results.some((result) => result instanceof Error);
      for (const { at, count, resolve, reject } of requests) {
        const own = count === results.length ? results : results.slice(at, at + count);
        // A damaged block is no business of those who asked for other keys in the same turn.
        const failure = anyFailed && own.find((result) => result instanceof Error);
        if (failure) reject(fromNative(failure, 'reading'));
        else resolve(own as Values);
      }
    } catch (error) {
      const failure = fromNative(error, 'reading');
      for (const { reject } of requests) reject(failure);
    }
  }

  async #readSplit(session: NativeSession, keys: readonly Uint8Array[]): Promise<ReadResult[]> {
    const parts = Math.min(splitMax, Math.floor(keys.length / splitKeysMin));
    if (parts < 2) return readAll(session, keys);
    const isLive = session === this.#live;
    const view = isLive ? session.snapshot() : session;
    const length = Math.ceil(keys.length / parts);
    const calls: Promise<ReadResult[]>[] = [];
    for (let at = 0; at < keys.length; at += length) {
      calls.push(readAll(view, keys.slice(at, at + length)));
    }
    // The calls hold their own references to the snapshot.
    if (isLive) void view.close();
    return (await Promise.all(calls)).flat();
  }
}
