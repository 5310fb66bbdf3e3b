import type {
  QueryAnswer,
  QueryOptionsBody,
  QueryStatsBody,
  QueryWarningBody,
} from '@themisdb/protocol';
import type { CallOptions } from './caller.ts';
import type { Session } from './session.ts';

export interface QueryOptions extends Omit<QueryOptionsBody, 'consistency'>, CallOptions {}

/** Taking a query for one that modifies costs nothing but a longer way. */
const modifyingWords = /\b(insert|update|replace|remove|upsert)\b/i;

/**
 * The rows of one query. Nothing is sent before the first row is asked for; pages are fetched as
 * they are needed, and leaving a `for await` early closes the cursor on the server.
 */
export class QueryCursor<T = unknown> implements AsyncIterable<T> {
  readonly #session: Session;
  readonly #text: string;
  readonly #params: Readonly<Record<string, unknown>>;
  readonly #options: QueryOptions;
  #last: QueryAnswer | undefined;

  constructor(
    session: Session,
    query: { readonly text: string; readonly params: Readonly<Record<string, unknown>> },
    options: QueryOptions,
  ) {
    this.#session = session;
    this.#text = query.text;
    this.#params = query.params;
    this.#options = options;
  }

  /** Of the last page fetched: final after the last row. */
  get stats(): QueryStatsBody | undefined {
    return this.#last?.stats;
  }

  get warnings(): readonly QueryWarningBody[] {
    return this.#last?.warnings ?? [];
  }

  get profile(): unknown {
    return this.#last?.profile;
  }

  async *pages(): AsyncIterableIterator<readonly T[]> {
    let answer = await this.#start();
    try {
      for (;;) {
        if (answer.results.length > 0) yield answer.results as readonly T[];
        if (!answer.has_more) return;
        answer = await this.#next(answer.cursor!);
      }
    } finally {
      if (answer.has_more) await this.#closeCursor(answer.cursor!);
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<T> {
    for await (const page of this.pages()) yield* page;
  }

  async all(): Promise<T[]> {
    const rows: T[] = [];
    for await (const page of this.pages()) rows.push(...page);
    return rows;
  }

  /** The first row, or undefined. */
  async first(): Promise<T | undefined> {
    for await (const page of this.pages()) return page[0];
    return undefined;
  }

  async #start(): Promise<QueryAnswer> {
    const { timeoutMs, signal, consistency, ...options } = this.#options;
    const answer = await this.#session.write({
      method: 'POST',
      path: '/query/aql',
      json: { query: this.#text, params: this.#params, options },
      isWrite: modifyingWords.test(this.#text),
      consistency,
      timeoutMs,
      signal,
    });
    return this.#keep(answer.body);
  }

  async #next(id: string): Promise<QueryAnswer> {
    const { timeoutMs, signal } = this.#options;
    const answer = await this.#session.call({
      method: 'GET',
      path: `/cursor/${encodeURIComponent(id)}`,
      // A page that was sent but not received would be skipped by asking again.
      isRepeatable: false,
      timeoutMs,
      signal,
    });
    return this.#keep(answer.body);
  }

  #keep(body: unknown): QueryAnswer {
    this.#last = body as QueryAnswer;
    return this.#last;
  }

  async #closeCursor(id: string): Promise<void> {
    await this.#session.call({
      method: 'DELETE',
      path: `/cursor/${encodeURIComponent(id)}`,
      isRepeatable: true,
      accepts: [404],
    });
  }
}
