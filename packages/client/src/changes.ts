import type { ChangeBody, ChangefeedAnswer } from '@themisdb/protocol';
import type { Session } from './session.ts';

export interface ChangesOptions {
  /** Where to go on: the token of the last change seen. Without it from the oldest kept. */
  readonly after?: string | undefined;
  readonly collection?: string | undefined;
  readonly limit?: number | undefined;
  /** How long one request waits for news. Default 25 s. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Follows the change log for ever, by long polls; end it by leaving the loop or by the signal. */
export async function* followChanges(
  session: Session,
  options: ChangesOptions,
): AsyncIterableIterator<ChangeBody> {
  const waitMs = options.waitMs ?? 25_000;
  let after = options.after;
  for (;;) {
    const page = await nextPage(session, { ...options, after, waitMs });
    if (page === undefined) return;
    yield* page.changes;
    after = page.next;
  }
}

/** Undefined when the reader's own signal ended the wait: the end it asked for is no failure. */
async function nextPage(
  session: Session,
  options: ChangesOptions,
): Promise<ChangefeedAnswer | undefined> {
  const isOver = (): boolean => options.signal?.aborted === true;
  if (isOver()) return undefined;
  try {
    return await readChanges(session, options);
  } catch (error) {
    if (isOver()) return undefined;
    throw error;
  }
}

/** One page of changes; empty when none came within `waitMs`. */
export async function readChanges(
  session: Session,
  options: ChangesOptions,
): Promise<ChangefeedAnswer> {
  const query = new URLSearchParams();
  if (options.after !== undefined) query.set('after', options.after);
  if (options.collection !== undefined) query.set('collection', options.collection);
  if (options.limit !== undefined) query.set('limit', String(options.limit));
  const waitMs = options.waitMs ?? 0;
  query.set('wait_ms', String(waitMs));
  const answer = await session.call({
    method: 'GET',
    path: `/changefeed?${query.toString()}`,
    isRepeatable: true,
    timeoutMs: waitMs + 10_000,
    signal: options.signal,
  });
  return answer.body as ChangefeedAnswer;
}
