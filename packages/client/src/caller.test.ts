import { expect, test } from 'vitest';
import { themisError, type ErrorCode } from '@themisdb/protocol';
import { ThemisClient } from './index.ts';
import type { Transport, TransportResponse } from './transport/transport.ts';

type Answer = () => TransportResponse;

/** Gives these answers, one after the other, the last for ever. */
class Script implements Transport {
  sent = 0;
  readonly #answers: readonly Answer[];

  constructor(...answers: readonly Answer[]) {
    this.#answers = answers;
  }

  // A broken connection rejects, as it does in a real one.
  // eslint-disable-next-line typescript/require-await
  async send(): Promise<TransportResponse> {
    return this.#answers[Math.min(this.sent++, this.#answers.length - 1)]!();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function answer(status: number, text: () => Promise<string>): TransportResponse {
  return {
    status,
    header: () => undefined,
    text,
    // eslint-disable-next-line typescript/require-await
    async *chunks() {},
    discard: () => undefined,
  };
}

function clientOf(script: Script): ThemisClient {
  return new ThemisClient({ transport: script, retry: { delayMsMin: 1, delayMsMax: 1 } });
}

const body =
  (value: unknown, status = 200): Answer =>
  () =>
    answer(status, () => Promise.resolve(JSON.stringify(value)));

const failed = (code: ErrorCode, sent?: boolean): Error =>
  themisError(code, { message: 'm', details: sent === undefined ? {} : { sent } });

const line = '{"n":1}';

const unsent: Answer = () => {
  throw failed('CONNECTION_FAILED', false);
};

const problem = (code: ErrorCode): Answer =>
  body({ error: { code, message: 'm' }, retryable: true }, 503);

test('an import is repeated only when it certainly was not sent', async () => {
  for (const code of ['NO_LEADER', 'WRITE_CONFLICT', 'TOO_MANY_REQUESTS'] as const) {
    const script = new Script(problem(code), body({ created: 1 }));
    await expect(clientOf(script).collection('c').import(line)).rejects.toMatchObject({ code });
    expect(script.sent).toBe(1);
  }
  const script = new Script(unsent, body({ created: 1 }));
  expect(await clientOf(script).collection('c').import(line)).toEqual({ created: 1 });
  expect(script.sent).toBe(2);
});

const brokenBody: Answer = () =>
  answer(200, () => Promise.reject(failed('CONNECTION_FAILED', true)));

test('an answer that breaks off is asked for again where that has no second effect', async () => {
  const reads = new Script(brokenBody, body({ n: 1 }));
  expect(await clientOf(reads).get('c/a', {})).toEqual({ n: 1 });
  const writes = new Script(brokenBody, body({ _key: 'a' }));
  expect(await clientOf(writes).put('c/a', {})).toMatchObject({ _key: 'a' });
  const unkeyed = new Script(brokenBody, body({}));
  await expect(clientOf(unkeyed).createCollection({ name: 'c' })).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
  });
  expect([reads.sent, writes.sent, unkeyed.sent]).toEqual([2, 2, 1]);
});
