import { hasCode, type Value } from '@themisdb/base';
import { themisError, type QueryStatsBody } from '@themisdb/protocol';
import type { QueryRun } from '@themisdb/query';
import { formatTimestamp, type Timestamp } from '@themisdb/storage';
import { json, type Answer } from './answer.ts';
import type { Page } from './cursors.ts';

export function pageAnswer({ run, rows, cursor }: Page): Answer {
  const body = {
    results: rows,
    has_more: cursor !== undefined,
    ...(cursor === undefined ? {} : { cursor }),
    ...endOf(run),
  };
  try {
    return jsonOrTooLong(body, tokenOf(run));
  } catch (error) {
    throw run.commitTimestamp === undefined ? error : thoughCommitted(error, run.commitTimestamp);
  }
}

/** What was written is there, whatever becomes of the answer: it must not be taken for undone. */
function thoughCommitted(error: unknown, timestamp: Timestamp): unknown {
  if (!hasCode(error, 'LIMIT_EXCEEDED')) return error;
  const token = formatTimestamp(timestamp);
  return themisError('LIMIT_EXCEEDED', {
    message: `the query was carried out (X-Themis-Token ${token}), but ${error.message}`,
    details: { limit: 'answer', token },
    cause: error,
  });
}

/** A JSON answer, or LIMIT_EXCEEDED when it would be longer than a text can be. */
export function jsonOrTooLong(body: object, headers: Readonly<Record<string, string>>): Answer {
  return orTooLong(() => json(200, body, headers));
}

/** One row as text. LIMIT_EXCEEDED. */
export function rowText(row: Value): string {
  return orTooLong(() => JSON.stringify(row));
}

function orTooLong<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw themisError('LIMIT_EXCEEDED', {
      message: 'the results are longer than one text can be: return less, or fewer rows at a time',
      details: { limit: 'answer' },
      cause: error,
    });
  }
}

/** X-Themis-Token, when the run committed something. */
export function tokenOf(run: QueryRun): Readonly<Record<string, string>> {
  const { commitTimestamp } = run;
  return commitTimestamp === undefined
    ? {}
    : { 'x-themis-token': formatTimestamp(commitTimestamp) };
}

/** What stands beside the results, in a page as at the end of a stream. */
export function endOf(run: QueryRun): object {
  const { fullCount, profile } = run;
  const stats: QueryStatsBody = { ...run.stats, ...(fullCount === undefined ? {} : { fullCount }) };
  return {
    query_id: run.id,
    stats,
    warnings: run.warnings,
    ...(profile === undefined ? {} : { profile }),
  };
}
