import { hasCode, isThemisError } from '@themisdb/base';
import { themisError, type ErrorCode, type Problem } from '@themisdb/protocol';
import type { ReadOptions } from '@themisdb/replication';
import { formatTimestamp } from '@themisdb/storage';
import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Route, RouteInput } from '../http/route.ts';
import { wasRefusedAtTheDoor } from '../http/stopping.ts';
import type { Cluster } from './cluster.ts';
import { freshnessOf } from './consistency.ts';
import { forward, mayBeDone } from './forward.ts';
import { noBytes } from './forward-codec.ts';
import { atOwner } from './owner.ts';
import { unknownOutcome } from './unknown-outcome.ts';
import { Wanted } from './wanted.ts';
import type { Whereabouts } from './whereabouts.ts';

export interface Placed {
  readonly route: Route;
  readonly exchange: Exchange;
  /** Reads and validates what the route declares. */
  readonly read: () => Promise<RouteInput<never, never>>;
}

/** Between attempts of a request that certainly was not done, unless the role changes before. */
const retryMs = 20;

/**
 * Runs a request where it has to run, and answers with what came of it. A request another node forwarded
 * is never forwarded again: when it came to the wrong place it is refused with NOT_LEADER, and the node
 * that was asked first tries again while it certainly was not done.
 */
export async function runPlaced(cluster: Cluster, placed: Placed): Promise<Answer> {
  const { route, exchange, read } = placed;
  let input: RouteInput<never, never> | undefined;
  const run = async (): Promise<Answer> =>
    exchange.inTime(route.handle(exchange, (input ??= await read()) as never));
  let where = transactionOf(route, exchange) ?? route.runs;
  if (typeof where === 'function') {
    input = await read();
    where = where(exchange, input as never);
  }
  switch (where.type) {
    case 'here':
      return run();
    case 'owner':
      return atOwner(cluster, { exchange, where, raw: input?.raw ?? noBytes, run });
    case 'fresh':
      await awaitFresh(cluster, exchange, where.mode);
      return withToken(exchange, await toldFrom(exchange, run));
    case 'leader':
      return atLeader(cluster, placed, run);
  }
}

function transactionOf(route: Route, exchange: Exchange): Whereabouts | undefined {
  const id = exchange.header('x-themis-transaction');
  if (id === undefined || route.headers?.includes('X-Themis-Transaction') !== true)
    return undefined;
  // They may name it in the body, and end it.
  if (route.path.startsWith('/transaction/')) return undefined;
  return { type: 'owner', of: 'transaction', id };
}

/** Also on one node, where only a value that is wrong, or never will be reached, makes a difference. */
export async function awaitFresh(
  cluster: Cluster,
  exchange: Exchange,
  inBody: string | undefined,
): Promise<void> {
  const modes = freshnessOf(exchange, inBody);
  if (modes.length === 0) return;
  const timeoutMs = Math.min(exchange.remainingMs(), cluster.leaderWaitMs);
  const wanted = new Wanted(exchange);
  try {
    const options = wanted.within(timeoutMs);
    await Promise.all(modes.map((mode) => cluster.replica.awaitReadable(mode, options)));
  } finally {
    wanted.end();
  }
}

/** What was read is not newer than this. */
function withToken(exchange: Exchange, answer: Answer): Answer {
  if (answer.headers?.['x-themis-token'] !== undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'x-themis-token': readToken(exchange) } };
}

function readToken(exchange: Exchange): string {
  return formatTimestamp(exchange.services.database.store.lastCommit);
}

/** That something is not there was read, too. */
async function toldFrom(exchange: Exchange, run: () => Promise<Answer>): Promise<Answer> {
  try {
    return await run();
  } catch (error) {
    if (tellsOfState(error)) exchange.readToken = readToken(exchange);
    throw error;
  }
}

async function atLeader(
  cluster: Cluster,
  placed: Placed,
  run: () => Promise<Answer>,
): Promise<Answer> {
  const { exchange } = placed;
  if (exchange.carrier.forwardedBy !== undefined) {
    if (!cluster.isLeading) throw cluster.notLeader();
    return leading(cluster, exchange, run);
  }
  const before: Attempts = { unknown: undefined };
  try {
    return await untilDone(cluster, placed, run, before);
  } catch (error) {
    throw hasCode(error, ...wordless) ? (before.unknown ?? error) : error;
  }
}

/** What is thrown for want of time says nothing of an attempt before. */
const wordless = ['REQUEST_TIMEOUT', 'SHUTTING_DOWN', 'NO_LEADER', 'NOT_LEADER'] as const;

interface Attempts {
  /** Of one that may have been done. */
  unknown: Error | undefined;
}

async function untilDone(
  cluster: Cluster,
  { exchange, route }: Placed,
  run: () => Promise<Answer>,
  before: Attempts,
): Promise<Answer> {
  const { clock } = exchange.services.env;
  const endMs = clock.monotonicMs() + Math.min(exchange.remainingMs(), cluster.leaderWaitMs);
  const isStream = route.body?.kind === 'stream';
  for (;;) {
    const leader = await cluster.awaitLeader(endMs - clock.monotonicMs(), () => exchange.signal);
    if (leader === undefined) throw noLeader(cluster);
    const outcome =
      leader === cluster.nodeId
        ? await tryHere(cluster, exchange, run)
        : await tryThere(cluster, exchange, leader, isStream);
    if (outcome.type === 'answer') return outcome.answer;
    if (outcome.type === 'failed') {
      const { answer, error } = outcome;
      if (before.unknown !== undefined && hasCode(error, ...wordless)) throw error;
      return answer;
    }
    if (outcome.type === 'unknown') {
      // Under its key it is done once, however often it is asked for.
      if (!exchange.isKeyed) throw outcome.error;
      before.unknown = outcome.error;
    }
    // Of a body that streams, what was read is gone, and may have been committed in part.
    if (isStream && exchange.isStreaming) throw unknownOutcome(outcome.error);
    if (clock.monotonicMs() >= endMs) throw before.unknown ?? outcome.error;
    await cluster.change(retryMs, exchange.signal);
  }
}

type Outcome =
  | { readonly type: 'answer'; readonly answer: Answer }
  /** The other node's word that it could not, or had no time. */
  | { readonly type: 'failed'; readonly answer: Answer; readonly error: Error }
  /** Certainly nothing was done. */
  | { readonly type: 'not-done'; readonly error: Error }
  | { readonly type: 'unknown'; readonly error: Error };

async function tryHere(
  cluster: Cluster,
  exchange: Exchange,
  run: () => Promise<Answer>,
): Promise<Outcome> {
  try {
    return { type: 'answer', answer: await leading(cluster, exchange, run) };
  } catch (error) {
    if (hasCode(error, 'UNKNOWN_OUTCOME')) return { type: 'unknown', error };
    if (!hasCode(error, 'NOT_LEADER')) throw error;
    return { type: 'not-done', error };
  }
}

/**
 * What a new leader has not applied yet must not be missed, and an answer that no commit stands behind is
 * only given once it is proven that this node still leads.
 */
async function leading(
  cluster: Cluster,
  exchange: Exchange,
  run: () => Promise<Answer>,
): Promise<Answer> {
  const wanted = new Wanted(exchange);
  const within = (): ReadOptions =>
    wanted.within(Math.min(exchange.remainingMs(), cluster.leaderWaitMs));
  try {
    const term = await cluster.beginLeading(within());
    const confirm = (): Promise<void> => cluster.confirmLeading(term, within());
    let answer: Answer;
    try {
      answer = await toldFrom(exchange, run);
    } catch (error) {
      if (tellsOfState(error) && !tellsOfCommits(error)) await confirm();
      throw error;
    }
    if (exchange.hasOnlyRead) await confirm();
    return withToken(exchange, answer);
  } finally {
    wanted.end();
  }
}

const silentKinds: ReadonlySet<string> = new Set([
  'unavailable',
  'timeout',
  'internal',
  'corruption',
  'exhausted',
]);
const silentCodes: ReadonlySet<string> = new Set([
  'QUERY_KILLED',
  'WRITE_CONFLICT',
  'REQUEST_CANCELLED',
]);

/** Whether an error says something about the data, which somebody might rely on. */
function tellsOfState(error: unknown): boolean {
  return isThemisError(error) && !silentKinds.has(error.kind) && !silentCodes.has(error.code);
}

/** What was committed before the error proves as much as an answer of a commit does. */
function tellsOfCommits(error: unknown): boolean {
  return isThemisError(error) && error.details['committed'] !== undefined;
}

async function tryThere(
  cluster: Cluster,
  exchange: Exchange,
  leader: number,
  isStream: boolean,
): Promise<Outcome> {
  const peer = cluster.peerOf(leader);
  if (peer === undefined) {
    throw themisError('NO_LEADER', {
      message: `node ${leader} leads, and is not among cluster.peers of node ${cluster.nodeId}`,
    });
  }
  try {
    const { answer, problem } = await forward(peer, exchange, isStream);
    if (problem === undefined) return { type: 'answer', answer };
    const { code } = problem.error;
    const error = errorOf(problem);
    if (code === 'UNKNOWN_OUTCOME') return { type: 'unknown', error };
    const isNotDone = code === 'NOT_LEADER' || wasRefusedAtTheDoor(problem);
    return isNotDone ? { type: 'not-done', error } : { type: 'failed', answer, error };
  } catch (error) {
    if (hasCode(error, 'NOT_LEADER')) return { type: 'not-done', error };
    if (exchange.isClientGone) throw error;
    if (mayBeDone(error)) return { type: 'unknown', error: unknownOutcome(error) };
    if (!hasCode(error, 'CONNECTION_FAILED', 'REQUEST_TIMEOUT', 'REQUEST_CANCELLED')) throw error;
    return { type: 'not-done', error: noLeader(cluster, error) };
  }
}

function errorOf({ error, retry_after_ms }: Problem): Error {
  return themisError(error.code as ErrorCode, {
    message: error.message,
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(retry_after_ms === undefined ? {} : { retryAfterMs: retry_after_ms }),
  });
}

function noLeader(cluster: Cluster, cause?: Error): Error {
  const why = cause === undefined ? 'no node leads' : cause.message;
  return themisError('NO_LEADER', {
    message: `${why}; waited as long as X-Request-Timeout and cluster.leaderWaitMs (${cluster.leaderWaitMs} ms) let`,
    ...(cause === undefined ? {} : { cause }),
  });
}
