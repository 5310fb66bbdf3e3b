import type { ChangesPage, ChangeToken } from '@themisdb/storage';
import { changeBody, tokenText, type ChangesFilter } from './changes.ts';
import type { Exchange } from './exchange.ts';
import { problemText } from './problem.ts';

/** The connection serves nothing after the stream; nobody may keep or gather what passes. */
export const eventHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  connection: 'close',
};

/** Characters gathered into one piece of the answer. */
const pieceLength = 64 * 1024;

/**
 * The changes from a page on as server-sent events (WHATWG HTML, 9.2), for ever. The next change is
 * written when the client has taken the last piece, and the next page read after that. Ends when the
 * client is gone, its time is over, or the server stops.
 */
export async function* streamChanges(
  exchange: Exchange,
  filter: ChangesFilter,
  first: ChangesPage,
): AsyncGenerator<string> {
  const { store } = exchange.services.database;
  const pulse = new Pulse(exchange);
  let page = first;
  try {
    yield pulse.sent(remark('changes follow', page.changes.length === 0 ? page.next : undefined));
    for (;;) {
      for (const piece of piecesOf(page)) yield pulse.sent(piece);
      if (page.changes.length === 0) await pulse.wait(page.next);
      if (pulse.isOver) return;
      if (pulse.isDue) yield pulse.sent(remark('still here', page.next));
      page = await store.readChanges({ ...filter, after: page.next });
    }
  } catch (error) {
    yield `event: problem\ndata: ${problemText(exchange.problemOf(error))}\n\n`;
  } finally {
    pulse.end();
  }
}

/** Says no more than that the stream lives, and up to where it was read: no event, yet a new id. */
function remark(text: string, token: ChangeToken | undefined): string {
  return token === undefined ? `: ${text}\n\n` : `: ${text}\nid: ${tokenText(token)}\n\n`;
}

function* piecesOf({ changes }: ChangesPage): Generator<string> {
  let piece = '';
  for (const change of changes) {
    piece += `id: ${tokenText(change.token)}\ndata: ${JSON.stringify(changeBody(change))}\n\n`;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** When a stream says something without news, and when it ends. */
class Pulse {
  readonly #exchange: Exchange;
  readonly #end = new AbortController();
  readonly #onEnd: (() => void)[] = [];
  #dueMs = 0;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    const end = (): void => this.#end.abort();
    const { carrier, services } = exchange;
    carrier.onClose(end);
    this.#onEnd.push(() => carrier.offClose(end));
    const signals = [services.stopping];
    if (exchange.header('x-request-timeout') !== undefined) signals.push(exchange.signal);
    for (const signal of signals) {
      signal.addEventListener('abort', end);
      this.#onEnd.push(() => signal.removeEventListener('abort', end));
      if (signal.aborted) end();
    }
    if (exchange.isClientGone) end();
  }

  get isOver(): boolean {
    return this.#end.signal.aborted;
  }

  get isDue(): boolean {
    return this.#now() >= this.#dueMs;
  }

  sent(piece: string): string {
    this.#dueMs = this.#now() + this.#exchange.services.config.limits.changefeedHeartbeatMs;
    return piece;
  }

  /** Until there may be changes after `token`, something has to be said, or the stream is over. */
  async wait(token: ChangeToken): Promise<void> {
    const { env, database } = this.#exchange.services;
    if (this.isOver || this.isDue) return;
    const quiet = new AbortController();
    const stop = (): void => quiet.abort();
    const timer = env.timers.after(Math.max(0, this.#dueMs - this.#now()), stop);
    this.#end.signal.addEventListener('abort', stop);
    try {
      await database.store.waitForChange(token, quiet.signal);
    } catch (error) {
      if (!quiet.signal.aborted) throw error;
    } finally {
      timer.cancel();
      this.#end.signal.removeEventListener('abort', stop);
    }
  }

  end(): void {
    for (const run of this.#onEnd) run();
  }

  #now(): number {
    return this.#exchange.services.env.clock.monotonicMs();
  }
}
