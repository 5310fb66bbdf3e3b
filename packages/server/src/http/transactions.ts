import { hasCode, isThemisError, type Env, type TimerHandle } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Store, Timestamp, Transaction, TransactionOptions } from '@themisdb/storage';
import type { Waiter } from './turns.ts';

export interface TransactionsOptions {
  readonly env: Pick<Env, 'clock' | 'timers' | 'random'>;
  readonly store: Store;
  readonly openMax: number;
  readonly idleMs: number;
  readonly lifeMs: number;
  readonly makeId: () => string;
}

type EndedState = 'committed' | 'rolled-back' | 'expired' | 'lost' | 'unknown';

/** Who uses a transaction, in turn with others. */
export interface TransactionUser extends Waiter {
  readonly namespace: string;
}

/** How a transaction that requests share by its id stands. */
export interface OpenTransaction {
  readonly id: string;
  readonly namespace: string;
  readonly transaction: Transaction;
  readonly idleMs: number;
  state: 'open' | EndedState;
  /** From then on what becomes of it is not known until it has ended. */
  isCommitting: boolean;
  commitTimestamp: Timestamp | undefined;
  /** Monotonic; when it ends unless used before. */
  expiresMs: number;
}

interface Entry extends OpenTransaction {
  readonly diesMs: number;
  timer: TimerHandle | undefined;
  /** Requests under way or waiting; the last one's end. */
  users: number;
  tail: Promise<unknown>;
}

/** Ended ones are remembered for a while, so that a late request hears how they ended. */
const endedMax = 1000;

/**
 * Transactions held open between requests. Requests in one transaction run one after the other, as
 * the storage contract wants it. One nobody uses for its idle time, or older than the life time, is
 * rolled back: it holds a snapshot.
 */
export class Transactions {
  readonly #options: TransactionsOptions;
  readonly #open = new Map<string, Entry>();
  readonly #ended = new Map<string, Entry>();

  constructor(options: TransactionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  begin(
    namespace: string,
    options: TransactionOptions,
    idleMs: number | undefined,
  ): OpenTransaction {
    const { openMax, lifeMs, store, makeId, env } = this.#options;
    if (this.#open.size >= openMax) {
      throw themisError('TOO_MANY_REQUESTS', {
        message: `${openMax} transactions are open already (setting limits.transactionsMax)`,
        details: { limit: 'transactions', max: openMax },
        retryAfterMs: 1000,
      });
    }
    const now = env.clock.monotonicMs();
    const entry: Entry = {
      id: makeId(),
      namespace,
      transaction: store.begin(options),
      idleMs: Math.min(idleMs ?? this.#options.idleMs, lifeMs),
      state: 'open',
      commitTimestamp: undefined,
      expiresMs: 0,
      diesMs: now + lifeMs,
      timer: undefined,
      users: 0,
      tail: Promise.resolve(),
      isCommitting: false,
    };
    this.#open.set(entry.id, entry);
    this.#rest(entry);
    return entry;
  }

  /** Also of those that ended lately. TRANSACTION_NOT_FOUND; NAMESPACE_MISMATCH. */
  find(id: string, namespace: string): OpenTransaction {
    return this.#find(id, namespace);
  }

  /** Runs `work` when all requests before it in this transaction are done. TRANSACTION_ENDED. */
  async use<Result>(
    user: TransactionUser,
    id: string,
    work: (transaction: Transaction, open: OpenTransaction) => Promise<Result>,
  ): Promise<Result> {
    const entry = this.#find(id, user.namespace);
    mustBeOpen(entry);
    entry.users++;
    entry.timer?.cancel();
    const before = entry.tail;
    const turn = (async () => {
      await (entry.users === 1 ? before : waitFor(entry, user, before));
      mustBeOpen(entry);
      return work(entry.transaction, entry);
    })();
    entry.tail = before.then(() => turn).catch(() => undefined);
    try {
      return await turn;
    } finally {
      entry.users--;
      if (entry.users === 0 && entry.state === 'open') this.#rest(entry);
    }
  }

  /** One of which it is not known what became ends as `unknown`, and says so whenever it is asked. */
  commit(
    user: TransactionUser,
    id: string,
    before?: (transaction: Transaction, open: OpenTransaction) => void,
  ): Promise<OpenTransaction> {
    return this.use(user, id, async (transaction, open) => {
      try {
        (open as Entry).isCommitting = true;
        before?.(transaction, open);
        open.commitTimestamp = await transaction.commit();
        this.#end(open as Entry, 'committed');
      } catch (error) {
        const state = stateAfter(error);
        this.#end(open as Entry, state);
        throw state === 'lost' ? transactionLost(open.id) : error;
      }
      return open;
    });
  }

  /** Rolling back what is rolled back, or has expired, is no error. */
  async rollback(user: TransactionUser, id: string): Promise<OpenTransaction> {
    const entry = this.#find(id, user.namespace);
    if (entry.state === 'open' && entry.isCommitting) throw outcomeUnknown(id);
    if (['rolled-back', 'expired', 'lost'].includes(entry.state)) return entry;
    return this.use(user, id, async (_, open) => {
      this.#end(open as Entry, 'rolled-back');
      return open;
    });
  }

  /** This node does not lead any more: what they would write could not be committed here. */
  loseWriting(): void {
    for (const entry of this.#open.values()) {
      // A commit under way says itself what became of it.
      if (!entry.transaction.readOnly && !entry.isCommitting) this.#end(entry, 'lost');
    }
  }

  /** At the end of the server. */
  rollbackAll(): void {
    for (const entry of this.#open.values()) {
      this.#end(entry, entry.isCommitting ? 'unknown' : 'rolled-back');
    }
  }

  #find(id: string, namespace: string): Entry {
    const entry = this.#open.get(id) ?? this.#ended.get(id);
    if (entry === undefined) {
      throw themisError('TRANSACTION_NOT_FOUND', {
        message: `there is no open transaction ${JSON.stringify(id.slice(0, 100))}: it ended, expired or never was`,
      });
    }
    if (entry.namespace === namespace) return entry;
    throw themisError('NAMESPACE_MISMATCH', {
      message: `the transaction belongs to another namespace than ${namespace} (header X-Themis-Namespace)`,
    });
  }

  /** Nobody uses it now: its idle time begins. */
  #rest(entry: Entry): void {
    const { clock, timers } = this.#options.env;
    const now = clock.monotonicMs();
    entry.expiresMs = Math.min(now + entry.idleMs, entry.diesMs);
    entry.timer = timers.after(Math.max(0, entry.expiresMs - now), () => {
      if (entry.users === 0) this.#end(entry, 'expired');
    });
  }

  #end(entry: Entry, state: EndedState): void {
    if (entry.state !== 'open') return;
    entry.state = state;
    entry.timer?.cancel();
    if (state !== 'committed') entry.transaction.rollback();
    this.#open.delete(entry.id);
    this.#ended.set(entry.id, entry);
    if (this.#ended.size > endedMax) {
      const [oldest] = this.#ended.keys();
      this.#ended.delete(oldest!);
    }
  }
}

/** One that was refused has had no effect and never will have. */
function stateAfter(error: unknown): EndedState {
  if (hasCode(error, 'NOT_LEADER')) return 'lost';
  const isKnown = isThemisError(error) && !hasCode(error, 'UNKNOWN_OUTCOME', 'STORE_FAILED');
  return isKnown ? 'rolled-back' : 'unknown';
}

/** Behind a commit that does not end, the time may end first. */
async function waitFor(entry: Entry, user: Waiter, before: Promise<unknown>): Promise<void> {
  try {
    await user.wait(before);
  } catch (error) {
    throw entry.isCommitting ? outcomeUnknown(entry.id, error) : error;
  }
}

function outcomeUnknown(id: string, cause?: unknown): Error {
  return themisError('UNKNOWN_OUTCOME', {
    message: `the commit of transaction ${id} was begun, and what became of it is not known`,
    ...(cause === undefined ? {} : { cause }),
  });
}

function mustBeOpen(entry: Entry): void {
  if (entry.state === 'open') return;
  if (entry.state === 'lost') throw transactionLost(entry.id);
  if (entry.state === 'unknown') throw outcomeUnknown(entry.id);
  const how = entry.state === 'expired' ? 'expired and was rolled back' : `was ${entry.state}`;
  throw themisError('TRANSACTION_ENDED', {
    message: `transaction ${entry.id} ${how}`,
    details: { state: entry.state },
  });
}

function transactionLost(id: string): Error {
  return themisError('TRANSACTION_LOST', {
    message: `transaction ${id} is lost and will not commit: its node leads no more; begin it again`,
  });
}
