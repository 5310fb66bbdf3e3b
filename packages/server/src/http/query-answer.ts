import type { QueryStatsBody } from '@themisdb/protocol';
import type { QueryRun } from '@themisdb/query';
import { formatTimestamp } from '@themisdb/storage';
import { json, type Answer } from './answer.ts';
import type { Page } from './cursors.ts';

export function pageAnswer({ run, rows, cursor }: Page): Answer {
  const body = {
    results: rows,
    has_more: cursor !== undefined,
    ...(cursor === undefined ? {} : { cursor }),
    ...endOf(run),
  };
  return json(200, body, tokenOf(run));
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
