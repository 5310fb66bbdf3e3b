import type { JointConfig } from './quorum/joint.ts';
import type { Message } from './types.ts';

/** A confirmed read: the state machine at `index` or later may answer `request`. */
export interface ConfirmedRead {
  readonly request: Message;
  /** The commit index when the request came in: what the read has to see. */
  readonly index: number;
}

/**
 * Read requests of a leader, oldest first (thesis section 6.4). Each takes the next number of a round;
 * heartbeats carry the number of the newest. A member that answers round n confirms that the leader
 * was still the leader after every request up to n came in, so what a quorum has answered at least is
 * confirmed, as a commit index is. Contexts of requests play no part in this: a client may repeat one.
 *
 * Invariant: the requests waiting have the rounds (#confirmed, #lastRound], in order.
 */
export class ReadOnly {
  #waiting: ConfirmedRead[] = [];
  #confirmed = 0;
  readonly #answered = new Map<number, number>();

  /** Takes a request; returns the context of heartbeats that confirm it. */
  add(self: number, index: number, request: Message): Uint8Array {
    this.#waiting.push({ request, index });
    this.#answered.set(self, this.#lastRound);
    return encodeRound(this.#lastRound);
  }

  /**
   * Notes that `id` answered a heartbeat with this context, and takes out what is confirmed thereby. A
   * context that was never sent confirms nothing.
   */
  answered(id: number, context: Uint8Array, voters: JointConfig): ConfirmedRead[] {
    const round = decodeRound(context);
    if (round === undefined || round > this.#lastRound) return [];
    // Answers may arrive in any order.
    this.#answered.set(id, Math.max(round, this.#answered.get(id) ?? 0));
    const reached = voters.committedIndex((voter) => this.#answered.get(voter));
    const count = Math.min(reached, this.#lastRound) - this.#confirmed;
    if (count <= 0) return [];
    this.#confirmed += count;
    return this.#waiting.splice(0, count);
  }

  /** Context for heartbeats while requests wait. */
  get context(): Uint8Array | undefined {
    return this.#waiting.length === 0 ? undefined : encodeRound(this.#lastRound);
  }

  /** Another term, other rounds: answers to the old ones are told apart by their term. */
  clear(): void {
    this.#waiting = [];
    this.#confirmed = 0;
    this.#answered.clear();
  }

  get #lastRound(): number {
    return this.#confirmed + this.#waiting.length;
  }
}

const ROUND_BYTES = 8;

/** Little-endian; other nodes send it back as it is. */
function encodeRound(round: number): Uint8Array {
  const bytes = new Uint8Array(ROUND_BYTES);
  let rest = round;
  for (let at = 0; at < ROUND_BYTES; at++) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

function decodeRound(bytes: Uint8Array): number | undefined {
  if (bytes.length !== ROUND_BYTES) return undefined;
  const round = bytes.reduceRight((value, byte) => value * 256 + byte, 0);
  return Number.isSafeInteger(round) ? round : undefined;
}
