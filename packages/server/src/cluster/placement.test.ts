import { expect, test } from 'vitest';
import type { CallOptions, Peer } from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import { makeNodeEnv } from '../env/index.ts';
import { silentLog, type ThemisError } from '@themisdb/base';
import type { Answer } from '../http/answer.ts';
import type { Carrier } from '../http/carrier.ts';
import { Exchange } from '../http/exchange.ts';
import { problemType } from '../http/media-type.ts';
import { problemOf, problemText } from '../http/problem.ts';
import type { Route, RouteInput } from '../http/route.ts';
import type { Services } from '../http/services.ts';
import { refusedAtTheDoor } from '../http/stopping.ts';
import type { Cluster } from './cluster.ts';
import { encodeHead } from './forward-codec.ts';
import { runPlaced } from './placement.ts';
import { leader, type Whereabouts } from './whereabouts.ts';

/** Node 2 leads, and answers a write of node 1 with one of these after the other; undefined is success. */
async function write(
  words: readonly (Error | undefined)[],
  headers: Record<string, string> = {},
  takesKey = true,
): Promise<{ outcome: unknown; asked: number }> {
  let asked = 0;
  const peer = {
    duplex() {
      const word = words[Math.min(asked++, words.length - 1)];
      return Promise.resolve({ head: answerOf(word), chunks: nothing() });
    },
  } as unknown as Peer;
  const exchange = exchangeOf(headers, new AbortController().signal, takesKey);
  const outcome = await forwardTo(peer, exchange, leader).then(
    ({ status }) => status,
    (error: { code: unknown }) => error.code,
  );
  return { outcome, asked };
}

/** What comes of a request that is forwarded to node 2 by node 1. */
function forwardTo(peer: Peer, exchange: Exchange, runs: Whereabouts): Promise<Answer> {
  const cluster = {
    nodeId: 1,
    leaderWaitMs: 10_000,
    awaitLeader: () => Promise.resolve(2),
    peerOf: () => peer,
    ids: { find: () => ({ type: 'node', node: 2 }) },
    change: () => Promise.resolve(),
  } as unknown as Cluster;
  const route = { path: '/x', runs } as unknown as Route;
  const input = { raw: new Uint8Array(0) } as RouteInput<never, never>;
  return runPlaced(cluster, { route, exchange, read: () => Promise.resolve(input) });
}

function exchangeOf(
  headers: Record<string, string>,
  stopNow: AbortSignal,
  takesKey: boolean,
): Exchange {
  const services = {
    env: makeNodeEnv({ dataRoot: '.', log: silentLog }),
    config: { limits: { requestTimeoutMs: 10_000 } },
    stopNow,
    commits: new Set(),
    database: { store: { lastCommit: 1n } },
  } as unknown as Services;
  const carrier = {
    method: 'POST',
    url: '/x',
    headers,
    forwardedBy: undefined,
    isGone: false,
    onClose: () => undefined,
    offClose: () => undefined,
    receive: () => Promise.resolve(new Uint8Array(0)),
  } as unknown as Carrier;
  const exchange = new Exchange(services, carrier, 'r');
  exchange.takesKey = takesKey;
  return exchange;
}

/** How a request ends whose node stops before it is sent, or while the other node carries it out. */
async function stopMeanwhile(runs: Whereabouts, isSent: boolean): Promise<unknown> {
  const stop = new AbortController();
  if (!isSent) stop.abort(stopped);
  const peer = {
    duplex(_name: string, _head: unknown, _chunks: unknown, { signal }: CallOptions) {
      return new Promise((_, reject) => {
        signal!.addEventListener('abort', () => reject(signal!.reason as Error));
        stop.abort(stopped);
      });
    },
  } as unknown as Peer;
  return forwardTo(peer, exchangeOf({}, stop.signal, false), runs).then(
    ({ status }) => status,
    ({ code, details }: ThemisError) => ({ code, details }),
  );
}

function answerOf(word: Error | undefined): Uint8Array {
  if (word === undefined) return encodeHead({ status: 201, head: [] }, new Uint8Array(0));
  const { problem, status } = problemOf(word, 'r');
  const body = Buffer.from(problemText(problem));
  return encodeHead({ status, head: ['content-type', problemType] }, body);
}

// eslint-disable-next-line typescript/require-await
async function* nothing(): AsyncGenerator<Uint8Array> {}

const stopped = themisError('SHUTTING_DOWN', { message: 'the server stopped before the end' });
const unknown = themisError('UNKNOWN_OUTCOME', { message: 'm' });
const keyed = { 'idempotency-key': 'k' };

test('what was refused at the door of a node that stops is asked for again', async () => {
  expect(await write([refusedAtTheDoor(), undefined])).toEqual({ outcome: 201, asked: 2 });
});

test('what a stop interrupted is not run a second time', async () => {
  expect(await write([stopped, undefined])).toEqual({ outcome: 503, asked: 1 });
});

test('the outcome of what a stop of this node interrupts is unknown unless it was not sent', async () => {
  const of = (commits: boolean): Whereabouts => ({
    type: 'owner',
    of: 'transaction',
    id: 't',
    commits,
  });
  const unknownNow = { code: 'UNKNOWN_OUTCOME', details: {} };
  const refused = { code: 'SHUTTING_DOWN', details: { started: false } };
  for (const where of [leader, of(true)]) {
    expect(await stopMeanwhile(where, true)).toEqual(unknownNow);
    expect(await stopMeanwhile(where, false)).toEqual(refused);
  }
  expect(await stopMeanwhile(of(false), true)).toMatchObject({ code: 'SHUTTING_DOWN' });
});

/** What is answered for a request that failed here, on a node that cannot prove that it leads still. */
function failHere(error: Error): Promise<unknown> {
  const cluster = {
    nodeId: 1,
    leaderWaitMs: 10_000,
    awaitLeader: () => Promise.resolve(1),
    beginLeading: () => Promise.resolve(1),
    confirmLeading: () => Promise.reject(themisError('NO_LEADER', { message: 'm' })),
  } as unknown as Cluster;
  const exchange = exchangeOf({}, new AbortController().signal, false);
  const route = { path: '/x', runs: leader, handle: () => Promise.reject(error) };
  return runPlaced(cluster, {
    route: route as unknown as Route,
    exchange,
    read: () => Promise.resolve({} as RouteInput<never, never>),
  }).catch(({ code }: ThemisError) => code);
}

test('an error that tells what was committed needs no proof that the node still leads', async () => {
  const gone = (details: object): Error =>
    themisError('COLLECTION_NOT_FOUND', { message: 'm', details: { ...details } });
  expect(await failHere(gone({}))).toBe('NO_LEADER');
  expect(await failHere(gone({ committed: { line: 1 } }))).toBe('COLLECTION_NOT_FOUND');
});

test('a write of unknown outcome is asked for again under its key only', async () => {
  const twice = { outcome: 201, asked: 2 };
  expect(await write([unknown, undefined], keyed)).toEqual(twice);
  const once = { outcome: 'UNKNOWN_OUTCOME', asked: 1 };
  expect(await write([unknown, undefined])).toEqual(once);
  expect(await write([unknown, undefined], keyed, false)).toEqual(once);
});

test('a repetition that has no time, or meets a stop, leaves the outcome unknown', async () => {
  const late = themisError('REQUEST_TIMEOUT', { message: 'm' });
  const full = themisError('DISK_FULL', { message: 'm' });
  for (const word of [late, stopped]) {
    expect(await write([unknown, word], keyed)).toEqual({ outcome: 'UNKNOWN_OUTCOME', asked: 2 });
  }
  expect(await write([unknown, full], keyed)).toEqual({ outcome: 507, asked: 2 });
});
