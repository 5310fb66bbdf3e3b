import type { Message } from './types.ts';

/** A read request that waits for a quorum to confirm the leader. */
interface PendingRead {
  readonly request: Message;
  readonly key: string;
  /** The commit index when the request came in: what the read has to see. */
  readonly index: number;
  readonly acks: Map<number, boolean>;
}

/** A confirmed read: the state machine at `index` or later may answer `request`. */
export interface ConfirmedRead {
  readonly request: Message;
  readonly index: number;
}

/**
 * Read requests of a leader, oldest first (thesis section 6.4). A heartbeat carries the context of a
 * request; a quorum that answers it confirms that the leader was still the leader after the request
 * came in, and thereby this request and every earlier one.
 */
export class ReadOnly {
  #queue: PendingRead[] = [];
  readonly #byContext = new Map<string, PendingRead>();

  /** A request whose context is pending already is left as it was. */
  add(index: number, request: Message): void {
    const key = keyOf(contextOf(request));
    if (this.#byContext.has(key)) return;
    const pending: PendingRead = { request, key, index, acks: new Map() };
    this.#queue.push(pending);
    this.#byContext.set(key, pending);
  }

  /** Notes that `id` answered the heartbeat with this context; returns who has done so. */
  acknowledge(id: number, context: Uint8Array): ReadonlyMap<number, boolean> {
    const acks = this.#byContext.get(keyOf(context))?.acks;
    acks?.set(id, true);
    return acks ?? NO_ACKS;
  }

  /** Takes out the request with this context and all before it. */
  advance(context: Uint8Array): ConfirmedRead[] {
    const key = keyOf(context);
    const at = this.#queue.findIndex((pending) => pending.key === key);
    const confirmed = this.#queue.splice(0, at + 1);
    for (const pending of confirmed) this.#byContext.delete(pending.key);
    return confirmed;
  }

  /** Confirming the newest request confirms them all, so heartbeats carry its context. */
  get lastContext(): Uint8Array | undefined {
    const last = this.#queue.at(-1);
    return last && contextOf(last.request);
  }

  clear(): void {
    this.#queue = [];
    this.#byContext.clear();
  }
}

const NO_ACKS: ReadonlyMap<number, boolean> = new Map();
const NO_CONTEXT = new Uint8Array(0);

export function contextOf(request: Message): Uint8Array {
  return request.entries[0]?.data ?? NO_CONTEXT;
}

/** Equal bytes give equal keys. */
function keyOf(context: Uint8Array): string {
  let key = '';
  for (const byte of context) key += String.fromCharCode(byte);
  return key;
}
