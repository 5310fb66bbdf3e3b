import type { Env, InvariantError } from '@themisdb/base';
import type { JsonLimits } from '@themisdb/protocol';
import type { Cluster } from '../cluster/cluster.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { DatabaseParts } from '../database/database.ts';
import type { Cursors } from './cursors.ts';
import type { Idempotency } from './idempotency.ts';
import type { LateCommit } from './late-commit.ts';
import type { ServerMetrics } from './metrics.ts';
import type { Transactions } from './transactions.ts';
import type { Turns } from './turns.ts';

/** What handlers work with; one set for a server. */
export interface Services {
  readonly config: ServerConfig;
  readonly env: Env;
  readonly jsonLimits: JsonLimits;
  readonly database: DatabaseParts;
  /** The other nodes; undefined on a node alone. */
  readonly cluster: Cluster | undefined;
  readonly cursors: Cursors;
  readonly transactions: Transactions;
  readonly idempotency: Idempotency;
  readonly turns: Turns;
  /** Commits that requests wait for. */
  readonly commits: Set<LateCommit>;
  readonly metrics: ServerMetrics;
  /** Aborts when the server begins to stop: those who only wait end at once. */
  readonly stopping: AbortSignal;
  /** Aborts when the time to stop is over: those who still work end as well. */
  readonly stopNow: AbortSignal;
  /** Called with a broken invariant once the answer that tells of it is out; ends the process. */
  readonly onBrokenInvariant: (error: InvariantError) => void;
  /** The OpenAPI document, serialised once. */
  readonly openApi: () => string;
}
