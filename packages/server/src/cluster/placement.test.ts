import { expect, test } from 'vitest';
import type { Peer } from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import { makeNodeEnv } from '../env/index.ts';
import { silentLog } from '@themisdb/base';
import type { Carrier } from '../http/carrier.ts';
import { Exchange } from '../http/exchange.ts';
import { problemType } from '../http/media-type.ts';
import { problemOf, problemText } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import type { Services } from '../http/services.ts';
import { refusedAtTheDoor } from '../http/stopping.ts';
import type { Cluster } from './cluster.ts';
import { encodeHead } from './forward-codec.ts';
import { runPlaced } from './placement.ts';
import { leader } from './whereabouts.ts';

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
  const cluster = {
    nodeId: 1,
    leaderWaitMs: 10_000,
    awaitLeader: () => Promise.resolve(2),
    peerOf: () => peer,
    change: () => Promise.resolve(),
  } as unknown as Cluster;
  const services = {
    env: makeNodeEnv({ dataRoot: '.', log: silentLog }),
    config: { limits: { requestTimeoutMs: 10_000 } },
    stopNow: new AbortController().signal,
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
  const route = { path: '/x', runs: leader } as unknown as Route;
  const placed = { route, exchange, read: () => Promise.reject(new Error('not here')) };
  const outcome = await runPlaced(cluster, placed).then(
    ({ status }) => status,
    (error: { code: unknown }) => error.code,
  );
  return { outcome, asked };
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
