import { hasCode, isThemisError } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Cluster } from './cluster.ts';
import { forward, mayBeDone } from './forward.ts';
import { unknownOutcome } from './unknown-outcome.ts';
import { Wanted } from './wanted.ts';
import type { Whereabouts } from './whereabouts.ts';

type Owned = Extract<Whereabouts, { type: 'owner' }>;

export interface OwnedRequest {
  readonly exchange: Exchange;
  readonly where: Owned;
  /** The body as it came. */
  readonly raw: Uint8Array;
  /** Carries it out on this node. */
  readonly run: () => Promise<Answer>;
}

/**
 * A request that names a transaction or cursor, at the node that holds it. A commit under an idempotency
 * key may be the repetition of one that was carried out: its answer is looked for before it is said
 * that the transaction is lost.
 */
export async function atOwner(cluster: Cluster, request: OwnedRequest): Promise<Answer> {
  try {
    return await askOwner(cluster, request);
  } catch (error) {
    const isKeyedCommit = request.where.commits === true && request.exchange.isKeyed;
    const mayBeDone = hasCode(
      error,
      'TRANSACTION_LOST',
      'TRANSACTION_NOT_FOUND',
      'UNKNOWN_OUTCOME',
    );
    if (!isKeyedCommit || !mayBeDone) throw error;
    return findAnswer(cluster, request, error);
  }
}

async function askOwner(cluster: Cluster, { exchange, where, run }: OwnedRequest): Promise<Answer> {
  const owner = cluster.ids.find(where.id);
  if (owner.type === 'lost') throw lost(where, 'its node was started anew');
  const isElsewhere = owner.type === 'node' && exchange.carrier.forwardedBy === undefined;
  if (!isElsewhere) return run();
  const peer = cluster.peerOf(owner.node);
  if (peer === undefined) throw lost(where, `node ${owner.node} is not among cluster.peers`);
  try {
    return (await forward(peer, exchange, false)).answer;
  } catch (error) {
    if (hasCode(error, 'NOT_LEADER')) throw lost(where, error.message);
    if (where.commits === true && mayBeDone(error)) throw unknownOutcome(error);
    throw hasCode(error, 'CONNECTION_FAILED') ? lost(where, error.message) : error;
  }
}

/** What was answered under the key, or `error`, or that nobody knows. */
async function findAnswer(
  cluster: Cluster,
  { exchange, where, raw }: OwnedRequest,
  error: Error,
): Promise<Answer> {
  const unknown = hasCode(error, 'UNKNOWN_OUTCOME') ? error : unknownOutcome(error);
  const timeoutMs = Math.min(exchange.remainingMs(), cluster.leaderWaitMs);
  // A commit that outlasts the time of its request has not left the key yet: who waits for it waits on.
  if (timeoutMs <= 0) throw unknown;
  await awaitStrong(cluster, exchange, timeoutMs, unknown);
  const owner = cluster.ids.find(where.id);
  // It may just be committing there. Who leads no more cannot have committed what is not seen now.
  const isLeader = owner.type === 'node' && owner.node === cluster.leader;
  return exchange.services.idempotency.run(exchange, raw, () =>
    Promise.reject(isLeader ? unknown : error),
  );
}

async function awaitStrong(
  cluster: Cluster,
  exchange: Exchange,
  timeoutMs: number,
  unknown: Error,
): Promise<void> {
  const wanted = new Wanted(exchange);
  try {
    await cluster.replica.awaitReadable({ type: 'strong' }, wanted.within(timeoutMs));
  } catch (error) {
    throw isThemisError(error) ? unknown : error;
  } finally {
    wanted.end();
  }
}

function lost({ of }: Owned, why: string): Error {
  return of === 'cursor'
    ? themisError('CURSOR_LOST', { message: `the cursor is lost: ${why}; run the query again` })
    : themisError('TRANSACTION_LOST', {
        message: `the transaction is lost and will not commit: ${why}; begin it again`,
      });
}
