import type { Env, TimerHandle, Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { QueryRun } from '@themisdb/query';

export interface CursorsOptions {
  readonly env: Pick<Env, 'clock' | 'timers'>;
  readonly openMax: number;
  readonly idleMs: number;
  readonly makeId: () => string;
  /** Called when closing a cursor that nobody reads fails: there is no request to tell. */
  readonly onFailure: (error: unknown) => void;
}

/** One page of a query's results. `cursor` is there while there may be more. */
export interface Page {
  readonly run: QueryRun;
  readonly rows: readonly Value[];
  readonly cursor: string | undefined;
}

interface Cursor {
  readonly id: string;
  readonly namespace: string;
  readonly run: QueryRun;
  readonly batches: AsyncIterator<Value[]>;
  /** Read ahead, so that the last page says it is the last. */
  next: Value[];
  isBusy: boolean;
  timer: TimerHandle | undefined;
}

/**
 * Results that wait on the server between requests. Each holds its query's snapshot, so there is a cap,
 * and one that nobody reads for the idle time is closed. One page is read ahead.
 */
export class Cursors {
  readonly #options: CursorsOptions;
  readonly #open = new Map<string, Cursor>();

  constructor(options: CursorsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  get #isFull(): boolean {
    return this.#open.size >= this.#options.openMax;
  }

  /** The first page of a run; the run is closed when that is all, or when this fails. */
  async start(run: QueryRun, namespace: string): Promise<Page> {
    try {
      const batches = run.batches();
      const first = await batches.next();
      if (first.done === true) return await lastPage(run, []);
      const second = await batches.next();
      if (second.done === true) return await lastPage(run, first.value);
      if (run.commitTimestamp !== undefined && this.#isFull) {
        // It has written: it cannot be refused any more, and its results are all in memory.
        return await lastPage(run, first.value.concat(second.value, await rest(batches)));
      }
      const cursor = this.#keep(run, namespace, batches, second.value);
      return { run, rows: first.value, cursor: cursor.id };
    } catch (error) {
      await run.close();
      throw error;
    }
  }

  /** CURSOR_NOT_FOUND; CURSOR_BUSY while another request reads it. The signal kills the query. */
  async next(id: string, namespace: string, signal: AbortSignal): Promise<Page> {
    const cursor = this.#find(id, namespace);
    if (cursor.isBusy) {
      throw themisError('CURSOR_BUSY', {
        message: `another request is reading cursor ${id}`,
        retryAfterMs: 10,
      });
    }
    cursor.isBusy = true;
    cursor.timer?.cancel();
    const rows = cursor.next;
    const kill = (): void => cursor.run.kill();
    signal.addEventListener('abort', kill);
    try {
      const following = await cursor.batches.next();
      // Closed meanwhile by another request: it must not be named in an answer, nor wait for readers.
      if (this.#open.get(id) !== cursor) throw this.#notFound(id);
      if (following.done === true) {
        this.#open.delete(id);
        return await lastPage(cursor.run, rows);
      }
      cursor.next = following.value;
    } catch (error) {
      await this.#close(cursor);
      throw error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
    cursor.isBusy = false;
    this.#rest(cursor);
    return { run: cursor.run, rows, cursor: id };
  }

  async close(id: string, namespace: string): Promise<void> {
    await this.#close(this.#find(id, namespace));
  }

  async closeAll(): Promise<void> {
    for (const cursor of this.#open.values()) await this.#close(cursor);
  }

  #keep(run: QueryRun, namespace: string, batches: AsyncIterator<Value[]>, next: Value[]): Cursor {
    const { openMax, makeId } = this.#options;
    if (this.#isFull) {
      throw themisError('TOO_MANY_REQUESTS', {
        message: `${openMax} cursors are open already (setting limits.cursorsMax); read or close some, or stream with Accept: application/x-ndjson`,
        details: { limit: 'cursors', max: openMax },
        retryAfterMs: 1000,
      });
    }
    const id = makeId();
    const cursor: Cursor = { id, namespace, run, batches, next, isBusy: false, timer: undefined };
    this.#open.set(id, cursor);
    this.#rest(cursor);
    return cursor;
  }

  #find(id: string, namespace: string): Cursor {
    const cursor = this.#open.get(id);
    // Another namespace's cursor must not even be seen to exist.
    if (cursor !== undefined && cursor.namespace === namespace) return cursor;
    throw this.#notFound(id);
  }

  #notFound(id: string): Error {
    return themisError('CURSOR_NOT_FOUND', {
      message: `there is no cursor ${JSON.stringify(id.slice(0, 100))}: it was read to the end, closed, not read for ${this.#options.idleMs} ms, or never was`,
    });
  }

  #rest(cursor: Cursor): void {
    const { env, idleMs, onFailure } = this.#options;
    cursor.timer = env.timers.after(idleMs, () => {
      if (!cursor.isBusy) void this.#close(cursor).catch(onFailure);
    });
  }

  async #close(cursor: Cursor): Promise<void> {
    this.#open.delete(cursor.id);
    cursor.timer?.cancel();
    await cursor.run.close();
  }
}

async function rest(batches: AsyncIterator<Value[]>): Promise<Value[]> {
  const rows: Value[] = [];
  for (;;) {
    const next = await batches.next();
    if (next.done === true) return rows;
    for (const row of next.value) rows.push(row);
  }
}

async function lastPage(run: QueryRun, rows: readonly Value[]): Promise<Page> {
  await run.close();
  return { run, rows, cursor: undefined };
}
