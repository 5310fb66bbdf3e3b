import type { QueryRun } from '@themisdb/query';
import type { Exchange } from './exchange.ts';
import { problemText } from './problem.ts';
import { endOf, rowText } from './query-answer.ts';

/** Characters gathered into one piece of the answer. */
const pieceLength = 64 * 1024;

/**
 * The results of a query as NDJSON: `{"row": …}` lines, then `{"end": …}` or `{"error": …}`. The next
 * batch is computed when the client has taken the last piece; leaving early closes the run.
 */
export async function* streamRun(exchange: Exchange, run: QueryRun): AsyncGenerator<string> {
  let piece = '';
  try {
    for await (const batch of run.batches()) {
      for (const row of batch) {
        piece += `{"row":${rowText(row)}}\n`;
        if (piece.length < pieceLength) continue;
        yield piece;
        piece = '';
      }
      // A slow query's first rows are not held back for a full piece.
      if (piece !== '') yield piece;
      piece = '';
    }
    yield `{"end":${JSON.stringify(endOf(run))}}\n`;
  } catch (error) {
    yield `${piece}{"error":${problemText(exchange.problemOf(error))}}\n`;
  } finally {
    await run.close();
  }
}
