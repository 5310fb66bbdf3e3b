import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog, ThemisError, type LogLevel } from '@themisdb/base';
import { errorCatalogue, themisError, type ErrorCode } from '@themisdb/protocol';
import { describe, expect, test } from 'vitest';
import { here } from '../cluster/whereabouts.ts';
import { makeConfig } from '../config/config.ts';
import { makeNodeEnv } from '../env/index.ts';
import { tmpdir } from 'node:os';
import { HttpCarrier } from './carrier.ts';
import { HostGuard } from './host-guard.ts';
import { Listener } from './listener.ts';
import { ServerMetrics } from './metrics.ts';
import { itemErrorBody, problemOf, problemText } from './problem.ts';
import { defineRoute } from './route.ts';
import type { Services } from './services.ts';

describe('every code of the catalogue', () => {
  const codes = Object.keys(errorCatalogue) as ErrorCode[];

  test.each(codes)('%s has an answer', (code) => {
    const spec = errorCatalogue[code];
    const error = themisError(code, { message: 'What happened.', details: { n: 1 } });
    const { status, problem, isDefect } = problemOf(error, 'r1');
    expect(status).toBe(spec.status);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(isDefect).toBe(code === 'INTERNAL');
    expect(problem).toMatchObject({
      type: `urn:themis:error:${code}`,
      title: expect.stringMatching(/^[A-Z]/),
      status,
      detail: 'What happened.',
      error: { code, message: 'What happened.', details: { n: 1 } },
      retryable: 'retryable' in spec,
      request_id: 'r1',
      doc: `docs/reference/errors.md#${code.toLowerCase()}`,
    });
  });

  test.each(codes)('%s is the fault of the caller exactly when its kind says so', (code) => {
    const { kind, status } = errorCatalogue[code];
    const ofCaller = ['invalid', 'denied', 'not-found', 'conflict', 'timeout'].includes(kind);
    if (ofCaller) expect(status).toBeLessThan(500);
    if (kind === 'internal' || kind === 'corruption' || kind === 'unavailable') {
      expect(status).toBeGreaterThanOrEqual(500);
    }
  });
});

test('position, retry time and wide numbers come through', () => {
  const error = themisError('TOO_MANY_REQUESTS', {
    message: 'm',
    retryAfterMs: 1500,
    position: { line: 1, column: 2, offset: 1 },
    details: { big: 2n ** 60n },
  });
  const { problem } = problemOf(error, 'r');
  expect(JSON.parse(problemText(problem))).toMatchObject({
    retry_after_ms: 1500,
    retryable: true,
    error: { position: { line: 1, column: 2, offset: 1 }, details: { big: String(2n ** 60n) } },
  });
});

test.each([
  new Error('password=hunter2'),
  'password=hunter2',
  undefined,
  new ThemisError({ code: 'NO_SUCH_CODE', kind: 'invalid', message: 'password=hunter2' }),
])('what is no operating error leaks nothing: %s', (error) => {
  const { status, problem, isDefect } = problemOf(error, 'r7');
  expect([status, isDefect, problem.error.code]).toEqual([500, true, 'INTERNAL']);
  expect(problemText(problem)).not.toContain('hunter2');
  expect(problem.detail).toContain('r7');
});

test('a defect is not passed off as the failure of one item', () => {
  expect(() => itemErrorBody(new Error('x'))).toThrow('x');
  expect(() => itemErrorBody(themisError('STORE_FAILED', { message: 'y' }))).toThrow('y');
  expect(itemErrorBody(themisError('KEY_EXISTS', { message: 'z' })).code).toBe('KEY_EXISTS');
});

test('a defect in a handler is answered, logged under its request id, and survived', async () => {
  const logged: { level: LogLevel; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  const route = defineRoute({
    method: 'GET',
    path: '/broken',
    tag: 'test',
    permission: 'server:observe',
    summary: 'Fails.',
    runs: here,
    answers: {},
    errors: [],
    handle() {
      throw new TypeError('secret of the house');
    },
  });
  const services = {
    config: makeConfig(),
    env: {
      ...makeNodeEnv({ dataRoot: tmpdir(), log: silentLog }),
      log: {
        write: (level: LogLevel, _: string, fields?: Record<string, unknown>) =>
          logged.push({ level, fields }),
      },
    },
    metrics: new ServerMetrics(),
    stopping: new AbortController().signal,
    stopNow: new AbortController().signal,
  } as unknown as Services;
  const listener = new Listener({
    services,
    routes: [route],
    guard: new HostGuard([]),
    idPrefix: 'p-',
  });
  const server = createServer((request, response) => {
    void listener.handle(new HttpCarrier(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/broken`;
  for (let i = 0; i < 2; i++) {
    const answer = await fetch(url);
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).not.toContain('secret');
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'INTERNAL' }, request_id: `p-${i}` });
  }
  expect(logged).toHaveLength(2);
  expect(logged[0]).toMatchObject({ level: 'error', fields: { requestId: 'p-0' } });
  expect(String(logged[0]!.fields!['error'])).toContain('TypeError: secret of the house');
  await new Promise((resolve) => server.close(resolve));
});
