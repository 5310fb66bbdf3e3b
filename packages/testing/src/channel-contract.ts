import { ThemisError, type LogLevel } from '@themisdb/base';
import type {
  CallContext,
  ChannelHandlers,
  ChannelLimits,
  DuplexAnswer,
  ShardChannel,
} from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

export interface ChannelSide {
  readonly handlers?: ChannelHandlers;
  readonly limits?: Partial<ChannelLimits>;
}

export interface ChannelFixture {
  /** Opens a channel; the first end is node 1, the second node 2, both of cluster `test`, role `node`. */
  open(first: ChannelSide, second: ChannelSide): Promise<[ShardChannel, ShardChannel]>;
  /** Runs a test body; a carrier on virtual time drives it here. */
  run(body: () => Promise<void>): Promise<void>;
  /** Lets so much time pass that whatever has been sent has arrived. */
  settle(): Promise<void>;
  /** Lines both sides have logged. */
  readonly logged: { readonly level: LogLevel; readonly message: string }[];
  dispose(): Promise<void>;
}

type Check = (title: string, body: (fixture: ChannelFixture) => Promise<void>) => void;

/** The contract of `ShardChannel` as tests. Every carrier runs it. */
export function runChannelContract(name: string, make: () => Promise<ChannelFixture>): void {
  describe(`${name} keeps the channel contract`, () => {
    let fixture: ChannelFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(() => fixture.dispose());
    const check: Check = (title, body) => {
      test(title, () => fixture.run(() => body(fixture)));
    };
    describe('calls', () => calls(check));
    describe('errors', () => errors(check));
    describe('deadlines and cancelling', () => endings(check));
    describe('limits', () => limits(check));
    describe('streams', () => streams(check));
    describe('duplex calls', () => duplexes(check));
    describe('messages', () => messages(check));
    describe('closing', () => closings(check));
  });
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const filled = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed) % 251);
const forever = (): Promise<never> => new Promise(() => {});

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<number[][]> {
  const out: number[][] = [];
  for await (const chunk of chunks) out.push([...chunk]);
  return out;
}

async function* give(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

/** Resolves with the reason once the signal aborts. */
function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

/** A place where a handler leaves what it saw for the test to wait for. */
function makeSlot<T>(): { put(value: T): void; readonly value: Promise<T> } {
  let put!: (value: T) => void;
  const value = new Promise<T>((resolve) => (put = resolve));
  return { put, value };
}

function calls(check: Check): void {
  check('an answer is what the handler made of the body', async ({ open }) => {
    const reverse = async (body: Uint8Array): Promise<Uint8Array> => body.slice().reverse();
    const [a] = await open({}, { handlers: { call: { reverse, same: (body) => body } } });
    expect(await a.call('reverse', bytes(1, 2, 3))).toEqual(bytes(3, 2, 1));
    expect(await a.call('same', bytes())).toEqual(bytes());
  });

  check('each side knows the other, in the channel and in the handler', async ({ open }) => {
    const who = (_: Uint8Array, { peer }: CallContext): Uint8Array => bytes(peer.nodeId);
    const [a, b] = await open({ handlers: { call: { who } } }, { handlers: { call: { who } } });
    expect(a.peer).toEqual({ nodeId: 2, clusterId: 'test', role: 'node' });
    expect(b.peer).toEqual({ nodeId: 1, clusterId: 'test', role: 'node' });
    expect(await a.call('who', bytes())).toEqual(bytes(1));
    expect(await b.call('who', bytes())).toEqual(bytes(2));
  });

  check('answers come as they are ready, each to its call', async ({ open, settle }) => {
    const waiting: (() => void)[] = [];
    const hold = (body: Uint8Array): Promise<Uint8Array> =>
      new Promise((resolve) => waiting.push(() => resolve(body)));
    const [a] = await open({}, { handlers: { call: { hold } } });
    const order: number[] = [];
    const all = [0, 1, 2, 3].map(async (i) => {
      const answer = await a.call('hold', bytes(i));
      order.push(i);
      return answer[0];
    });
    while (waiting.length < 4) await settle();
    for (const i of [2, 0, 3, 1]) {
      waiting[i]!();
      await settle();
    }
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
    expect(order).toEqual([2, 0, 3, 1]);
  });

  check('requests arrive in the order they were made', async ({ open }) => {
    const seen: number[] = [];
    const note = (body: Uint8Array): Uint8Array => {
      seen.push(body[0]!);
      return body;
    };
    const [a] = await open({}, { handlers: { call: { note } } });
    await Promise.all(Array.from({ length: 200 }, (_, i) => a.call('note', bytes(i))));
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  check('a handler may call back before it answers', async ({ open }) => {
    const ends: ShardChannel[] = [];
    const double = (body: Uint8Array): Uint8Array => body.map((byte) => byte * 2);
    const ask = async (body: Uint8Array): Promise<Uint8Array> => ends[1]!.call('double', body);
    ends.push(...(await open({ handlers: { call: { double } } }, { handlers: { call: { ask } } })));
    expect(await ends[0]!.call('ask', bytes(21))).toEqual(bytes(42));
  });

  check('long bodies come through whole beside short ones', async ({ open }) => {
    const echo = (body: Uint8Array): Uint8Array => body;
    const limits = { frameBytesMax: 65_536 };
    const [a] = await open({ limits }, { handlers: { call: { echo } }, limits });
    const sizes = [1, 65_530, 65_531, 65_536, 300_000, 2, 1_000_000, 131_072, 3];
    const sent = sizes.map((size, i) => filled(size, i));
    const got = await Promise.all(sent.map((body) => a.call('echo', body)));
    got.forEach((body, i) => expect(Buffer.compare(body, sent[i]!), `${sizes[i]}`).toBe(0));
  });

  check('a handler is not run within the call that reaches it', async ({ open }) => {
    let ran = false;
    const run = (body: Uint8Array): Uint8Array => {
      ran = true;
      return body;
    };
    const [a] = await open({}, { handlers: { call: { run } } });
    const answer = a.call('run', bytes());
    expect(ran).toBe(false);
    await answer;
    expect(ran).toBe(true);
  });
}

function errors(check: Check): void {
  check('a ThemisError arrives as it was thrown', async ({ open }) => {
    const full = (): never => {
      throw themisError('DISK_FULL', {
        message: 'no space',
        details: { free: 0, wide: 2n ** 60n },
        retryAfterMs: 250,
        position: { line: 1, column: 2, offset: 3 },
      });
    };
    const [a] = await open({}, { handlers: { call: { full, later: async () => full() } } });
    for (const operation of ['full', 'later']) {
      const error = await a.call(operation, bytes()).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ThemisError);
      expect(error).toMatchObject({
        code: 'DISK_FULL',
        kind: 'exhausted',
        message: 'no space',
        retryable: true,
        retryAfterMs: 250,
        details: { free: 0, wide: String(2n ** 60n) },
        position: { line: 1, column: 2, offset: 3 },
      });
    }
  });

  check('a code this build does not know is taken as it comes', async ({ open }) => {
    const newer = (): never => {
      throw new ThemisError({
        code: 'FROM_TOMORROW',
        kind: 'conflict',
        message: 'm',
        retryable: true,
      });
    };
    const [a] = await open({}, { handlers: { call: { newer } } });
    const expected = { code: 'FROM_TOMORROW', kind: 'conflict', message: 'm', retryable: true };
    await expect(a.call('newer', bytes())).rejects.toMatchObject(expected);
  });

  check('a defect arrives without its words, and is logged', async ({ open, logged }) => {
    const broken = (): never => {
      throw new TypeError('secret of the row');
    };
    const [a] = await open({}, { handlers: { call: { broken } } });
    const error = (await a.call('broken', bytes()).catch((reason: unknown) => reason)) as Error;
    expect(error).toMatchObject({ code: 'INTERNAL', retryable: false });
    expect(error.message).not.toContain('secret');
    expect(logged.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  check('details too large to send stay behind', async ({ open }) => {
    const wordy = (): never => {
      throw themisError('BAD_REQUEST', { message: 'm', details: { text: 'x'.repeat(100_000) } });
    };
    const [a] = await open({}, { handlers: { call: { wordy } } });
    const error = await a.call('wordy', bytes()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'BAD_REQUEST', details: {} });
  });

  check('what the other side does not serve is NOT_IMPLEMENTED', async ({ open }) => {
    const [a] = await open({}, { handlers: { call: { echo: (body) => body } } });
    const missing = { code: 'NOT_IMPLEMENTED' };
    await expect(a.call('other', bytes())).rejects.toMatchObject(missing);
    await expect(collect(a.stream('echo', bytes()))).rejects.toMatchObject(missing);
    await expect(a.duplex('echo', bytes(), give())).rejects.toMatchObject(missing);
    expect(a.send('echo', bytes())).toBe(false);
    expect(await a.call('echo', bytes(1))).toEqual(bytes(1));
  });
}

function endings(check: Check): void {
  check('a deadline ends the call on both sides', async ({ open }) => {
    const slot = makeSlot<unknown>();
    const hang = async (_: Uint8Array, { signal }: CallContext): Promise<Uint8Array> => {
      slot.put(await aborted(signal));
      throw signal.reason;
    };
    const [a] = await open({}, { handlers: { call: { hang } } });
    const timeout = { code: 'REQUEST_TIMEOUT', kind: 'timeout' };
    await expect(a.call('hang', bytes(), { deadlineMs: 30 })).rejects.toMatchObject(timeout);
    const codes = ['REQUEST_TIMEOUT', 'REQUEST_CANCELLED'];
    expect(codes).toContain(((await slot.value) as ThemisError).code);
  });

  check('a deadline that has passed does not reach the handler', async ({ open, settle }) => {
    let runs = 0;
    const count = (body: Uint8Array): Uint8Array => (runs++, body);
    const [a] = await open({}, { handlers: { call: { count } } });
    const timeout = { code: 'REQUEST_TIMEOUT' };
    await expect(a.call('count', bytes(), { deadlineMs: 0 })).rejects.toMatchObject(timeout);
    await settle();
    expect(runs).toBe(0);
  });

  check('the handler sees how much time is left', async ({ open }) => {
    const left: (number | undefined)[] = [];
    const look = (body: Uint8Array, context: CallContext): Uint8Array => {
      left.push(context.remainingMs());
      return body;
    };
    const [a] = await open({}, { handlers: { call: { look } } });
    await a.call('look', bytes(), { deadlineMs: 60_000 });
    await a.call('look', bytes());
    expect(left[0]).toBeGreaterThan(0);
    expect(left[0]).toBeLessThanOrEqual(60_000);
    expect(left[1]).toBeUndefined();
  });

  check('cancelling rejects with the reason and aborts the handler', async ({ open }) => {
    const [begun, ended] = [makeSlot<void>(), makeSlot<unknown>()];
    const hang = async (_: Uint8Array, { signal }: CallContext): Promise<Uint8Array> => {
      begun.put();
      ended.put(await aborted(signal));
      throw signal.reason;
    };
    const [a] = await open({}, { handlers: { call: { hang } } });
    const controller = new AbortController();
    const answer = a.call('hang', bytes(), { signal: controller.signal });
    answer.catch(() => {});
    await begun.value;
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(await ended.value).toMatchObject({ code: 'REQUEST_CANCELLED' });
  });

  check('a signal that has aborted keeps the call at home', async ({ open, settle }) => {
    let runs = 0;
    const count = (body: Uint8Array): Uint8Array => (runs++, body);
    const [a] = await open({}, { handlers: { call: { count } } });
    const signal = AbortSignal.abort(new Error('before'));
    await expect(a.call('count', bytes(), { signal })).rejects.toThrow('before');
    await settle();
    expect(runs).toBe(0);
  });

  check('an answer that comes too late is nobody’s', async ({ open, settle }) => {
    const slot = makeSlot<(body: Uint8Array) => void>();
    const late = (body: Uint8Array): Promise<Uint8Array> =>
      body.length === 0 ? new Promise((resolve) => slot.put(resolve)) : Promise.resolve(body);
    const [a, b] = await open({}, { handlers: { call: { late } } });
    const controller = new AbortController();
    const answer = a.call('late', bytes(), { signal: controller.signal });
    answer.catch(() => {});
    const finish = await slot.value;
    controller.abort(new Error('x'));
    await expect(answer).rejects.toThrow('x');
    await settle();
    expect([a.stats().callsOut, b.stats().callsIn]).toEqual([1, 1]);
    finish(bytes(9));
    await settle();
    expect([a.stats().callsOut, b.stats().callsIn]).toEqual([0, 0]);
    expect(await a.call('late', bytes(1))).toEqual(bytes(1));
  });
}

function limits(check: Check): void {
  check('calls beyond the limit are refused, and taken again later', async ({ open, settle }) => {
    const waiting: (() => void)[] = [];
    const hold = (body: Uint8Array): Promise<Uint8Array> =>
      new Promise((resolve) => waiting.push(() => resolve(body)));
    const [a] = await open({}, { handlers: { call: { hold } }, limits: { callsMax: 3 } });
    const held = [0, 1, 2].map((i) => a.call('hold', bytes(i)));
    const refusal = { code: 'TOO_MANY_REQUESTS', retryable: true };
    await expect(a.call('hold', bytes(3))).rejects.toMatchObject(refusal);
    while (waiting.length < 3) await settle();
    waiting.shift()!();
    expect(await held[0]).toEqual(bytes(0));
    const next = a.call('hold', bytes(4));
    while (waiting.length < 3) await settle();
    for (const answer of waiting) answer();
    expect(await next).toEqual(bytes(4));
    await Promise.all(held);
  });

  check('a body above the limit is refused on either side', async ({ open }) => {
    const grow = (body: Uint8Array): Uint8Array => filled(body[0]! * 1000);
    const [a] = await open(
      {},
      {
        handlers: {
          call: { grow },
          stream: { swell: (body) => give(filled(body[0]! * 1000)) },
          duplex: { sink: async () => ({ head: bytes(), chunks: give() }) },
          message: { note() {} },
        },
        limits: { messageBytesMax: 5_000, frameBytesMax: 2_000 },
      },
    );
    const refusal = { code: 'BODY_TOO_LARGE' };
    expect(await a.call('grow', bytes(5))).toHaveLength(5_000);
    await expect(a.call('grow', bytes(6))).rejects.toMatchObject(refusal);
    await expect(a.call('grow', filled(5_001))).rejects.toMatchObject(refusal);
    await expect(collect(a.stream('swell', bytes(6)))).rejects.toMatchObject(refusal);
    await expect(a.duplex('sink', filled(5_001), give())).rejects.toMatchObject(refusal);
    expect(a.send('note', filled(5_001))).toBe(false);
    expect(await a.call('grow', bytes(1))).toHaveLength(1_000);
  });
}

function streams(check: Check): void {
  check('chunks keep order and borders, empty ones too', async ({ open }) => {
    const count = async function* (body: Uint8Array): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < body[0]!; i++) yield filled(i % 5, i);
    };
    const [a] = await open({}, { handlers: { stream: { count } } });
    const expected = Array.from({ length: 200 }, (_, i) => [...filled(i % 5, i)]);
    expect(await collect(a.stream('count', bytes(200)))).toEqual(expected);
    expect(await collect(a.stream('count', bytes(0)))).toEqual([]);
  });

  check('much more than the window goes through, in chunks of any size', async ({ open }) => {
    const sizes = [100, 5_000, 70_000, 1, 0, 200_000, 33];
    const all = async function* (): AsyncGenerator<Uint8Array> {
      for (let round = 0; round < 5; round++) for (const size of sizes) yield filled(size, round);
    };
    const limits = { windowBytes: 10_000, frameBytesMax: 16_384 };
    const [a] = await open({ limits }, { handlers: { stream: { all } }, limits });
    let [at, bad] = [0, 0];
    for await (const chunk of a.stream('all', bytes())) {
      const expected = filled(sizes[at % 7]!, Math.floor(at / 7));
      if (Buffer.compare(chunk, expected) !== 0) bad++;
      at++;
    }
    expect([at, bad]).toEqual([35, 0]);
  });

  check('it starts when it is read', async ({ open, settle }) => {
    let runs = 0;
    const one = (): AsyncIterable<Uint8Array> => (runs++, give(bytes(1)));
    const [a] = await open({}, { handlers: { stream: { one } } });
    const stream = a.stream('one', bytes());
    await settle();
    expect(runs).toBe(0);
    expect(await collect(stream)).toEqual([[1]]);
  });

  check('who produces waits for who reads', async ({ open, settle }) => {
    let made = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        made++;
        yield filled(1_000);
      }
    };
    const limits = { windowBytes: 10_000 };
    const [a] = await open({ limits }, { handlers: { stream: { endless } } });
    const iterator = a.stream('endless', bytes())[Symbol.asyncIterator]();
    await iterator.next();
    await settle();
    expect(made).toBeGreaterThan(5);
    expect(made).toBeLessThan(14);
    for (let i = 0; i < 50; i++) await iterator.next();
    await settle();
    expect(made).toBeGreaterThan(50);
    expect(made).toBeLessThan(65);
    await iterator.return!();
  });

  check('leaving early cancels and lets the handler clean up', async ({ open, settle }) => {
    const [cleaned, reason] = [makeSlot<void>(), makeSlot<unknown>()];
    const endless = async function* (_: Uint8Array, { signal }: CallContext) {
      void aborted(signal).then(reason.put);
      try {
        for (;;) yield filled(100);
      } finally {
        cleaned.put();
      }
    };
    const [a, b] = await open({}, { handlers: { stream: { endless } } });
    for await (const chunk of a.stream('endless', bytes())) {
      expect(chunk).toHaveLength(100);
      break;
    }
    await cleaned.value;
    expect(await reason.value).toMatchObject({ code: 'REQUEST_CANCELLED' });
    await settle();
    expect([a.stats().callsOut, b.stats().callsIn]).toEqual([0, 0]);
  });

  check('an error comes after some chunks', async ({ open }) => {
    const half = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes(1);
      yield bytes(2);
      throw themisError('LOG_CORRUPT', { message: 'here' });
    };
    const [a] = await open({}, { handlers: { stream: { half } } });
    const iterator = a.stream('half', bytes())[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: bytes(1) });
    const rest = (async () => {
      while ((await iterator.next()).done !== true);
    })();
    await expect(rest).rejects.toMatchObject({ code: 'LOG_CORRUPT', kind: 'corruption' });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  check('signal and deadline are for all of it', async ({ open }) => {
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes(1);
      await forever();
    };
    const [a] = await open({}, { handlers: { stream: { slow } } });
    const late = collect(a.stream('slow', bytes(), { deadlineMs: 20 }));
    await expect(late).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    const controller = new AbortController();
    const iterator = a
      .stream('slow', bytes(), { signal: controller.signal })
      [Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    controller.abort(new Error('stop'));
    await expect(next).rejects.toThrow('stop');
  });
}

function duplexes(check: Check): void {
  const echo = async (
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<DuplexAnswer> => ({ head, chunks });

  check('head and chunks go both ways', async ({ open }) => {
    const [a] = await open({}, { handlers: { duplex: { echo } } });
    const answer = await a.duplex('echo', bytes(7), give(bytes(1, 2), bytes(), bytes(3)));
    expect(answer.head).toEqual(bytes(7));
    expect(await collect(answer.chunks)).toEqual([[1, 2], [], [3]]);
  });

  check('long bodies go both ways through small windows', async ({ open, settle }) => {
    const limits = { windowBytes: 8_000, frameBytesMax: 4_096 };
    const [a, b] = await open({ limits }, { handlers: { duplex: { echo } }, limits });
    const sent = Array.from({ length: 60 }, (_, i) => filled((i * 977) % 20_000, i));
    const { chunks } = await a.duplex('echo', filled(10_000), give(...sent));
    let [at, bad] = [0, 0];
    for await (const chunk of chunks) if (Buffer.compare(chunk, sent[at++]!) !== 0) bad++;
    expect([at, bad]).toEqual([60, 0]);
    await settle();
    expect([a.stats().callsOut, b.stats().callsIn]).toEqual([0, 0]);
  });

  check('a handler may read all before it answers', async ({ open }) => {
    const sum = async (_: Uint8Array, chunks: AsyncIterable<Uint8Array>): Promise<DuplexAnswer> => {
      let total = 0;
      for await (const chunk of chunks) total += chunk.length;
      return { head: Uint8Array.from(String(total), (c) => c.charCodeAt(0)), chunks: give() };
    };
    const [a] = await open({}, { handlers: { duplex: { sum } }, limits: { windowBytes: 3_000 } });
    const parts = Array.from({ length: 40 }, () => filled(1_000));
    const { head, chunks } = await a.duplex('sum', bytes(), give(...parts));
    expect(String.fromCharCode(...head)).toBe('40000');
    expect(await collect(chunks)).toEqual([]);
  });

  check('who sends waits for a handler that does not read', async ({ open, settle }) => {
    let made = 0;
    const left = makeSlot<void>();
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          made++;
          yield filled(1_000);
        }
      } finally {
        left.put();
      }
    };
    const gate = makeSlot<void>();
    const lazy = async (): Promise<DuplexAnswer> => {
      await gate.value;
      return { head: bytes(1), chunks: give(bytes(2)) };
    };
    const limits = { windowBytes: 10_000 };
    const [a, b] = await open({}, { handlers: { duplex: { lazy } }, limits });
    const pending = a.duplex('lazy', bytes(), endless());
    await settle();
    expect(made).toBeGreaterThan(5);
    expect(made).toBeLessThan(14);
    gate.put();
    const answer = await pending;
    expect(await collect(answer.chunks)).toEqual([[2]]);
    await left.value;
    await settle();
    expect([a.stats().callsOut, b.stats().callsIn]).toEqual([0, 0]);
  });

  check('a handler that refuses gives its error, whatever else was sent', async ({ open }) => {
    const refuse = async (): Promise<DuplexAnswer> => {
      throw themisError('BAD_REQUEST', { message: 'no' });
    };
    const [a] = await open({}, { handlers: { duplex: { refuse, echo } } });
    const parts = Array.from({ length: 50 }, () => filled(500));
    const refused = a.duplex('refuse', bytes(), give(...parts));
    await expect(refused).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    const { chunks } = await a.duplex('echo', bytes(), give(bytes(5)));
    expect(await collect(chunks)).toEqual([[5]]);
  });

  check('a request that fails on its way is cancelled there', async ({ open }) => {
    const failed = makeSlot<unknown>();
    const read = async (
      _: Uint8Array,
      chunks: AsyncIterable<Uint8Array>,
    ): Promise<DuplexAnswer> => {
      await collect(chunks).catch((error: unknown) => {
        failed.put(error);
        throw error;
      });
      return { head: bytes(), chunks: give() };
    };
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes(1);
      throw new Error('client went away');
    };
    const [a] = await open({}, { handlers: { duplex: { read } } });
    await expect(a.duplex('read', bytes(), broken())).rejects.toThrow('client went away');
    expect(await failed.value).toMatchObject({ code: 'REQUEST_CANCELLED' });
  });

  check('leaving the answer cancels', async ({ open }) => {
    const cleaned = makeSlot<void>();
    const endless = async (): Promise<DuplexAnswer> => ({
      head: bytes(),
      chunks: (async function* () {
        try {
          for (;;) yield filled(10);
        } finally {
          cleaned.put();
        }
      })(),
    });
    const [a] = await open({}, { handlers: { duplex: { endless } } });
    const { chunks } = await a.duplex('endless', bytes(), give());
    for await (const chunk of chunks) if (chunk.length === 10) break;
    await cleaned.value;
  });

  check('an error after the head comes to who reads the chunks', async ({ open }) => {
    const half = async (): Promise<DuplexAnswer> => ({
      head: bytes(1),
      chunks: (async function* () {
        yield bytes(2);
        throw themisError('QUERY_TIMEOUT', { message: 'late' });
      })(),
    });
    const [a] = await open({}, { handlers: { duplex: { half } } });
    const { head, chunks } = await a.duplex('half', bytes(), give());
    expect(head).toEqual(bytes(1));
    await expect(collect(chunks)).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' });
  });
}

function messages(check: Check): void {
  check('short ones arrive in order, long ones whole', async ({ open, settle }) => {
    const [short, long]: [number[], Uint8Array[]] = [[], []];
    const note = (body: Uint8Array): void =>
      void (body.length === 1 ? short.push(body[0]!) : long.push(body));
    const limits = { frameBytesMax: 10_000 };
    const [a] = await open({ limits }, { handlers: { message: { note } }, limits });
    for (let i = 0; i < 100; i++) {
      expect(a.send('note', bytes(i))).toBe(true);
      if (i % 30 === 0) a.send('note', filled(45_000, i));
    }
    while (short.length < 100 || long.length < 4) await settle();
    expect(short).toEqual(Array.from({ length: 100 }, (_, i) => i));
    long.forEach((body, i) => expect(Buffer.compare(body, filled(45_000, i * 30))).toBe(0));
  });

  check('the handler learns who sent it', async ({ open }) => {
    const slot = makeSlot<number>();
    const note = (_: Uint8Array, { nodeId }: { nodeId: number }): void => slot.put(nodeId);
    const [, b] = await open({ handlers: { message: { note } } }, {});
    b.send('note', bytes());
    expect(await slot.value).toBe(2);
  });

  check('a handler that throws is a defect of its own only', async ({ open, settle, logged }) => {
    let seen = 0;
    const note = (): void => {
      if (seen++ === 0) throw new Error('once');
    };
    const [a] = await open({}, { handlers: { message: { note } } });
    a.send('note', bytes());
    a.send('note', bytes());
    while (seen < 2) await settle();
    expect(logged.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(a.isOpen).toBe(true);
  });
}

function closings(check: Check): void {
  const lost = (sent: boolean) => ({
    code: 'CONNECTION_FAILED',
    retryable: true,
    details: { sent },
  });

  check('both sides learn of an orderly close, without an error', async ({ open }) => {
    const [a, b] = await open({}, {});
    const seen: unknown[] = [];
    const closed = Promise.all(
      [a, b].map((end) => new Promise<void>((done) => end.onClose((e) => (seen.push(e), done())))),
    );
    await a.close();
    await closed;
    expect(seen).toEqual([undefined, undefined]);
    expect([a.isOpen, b.isOpen]).toEqual([false, false]);
    await new Promise<void>((resolve) => a.onClose(() => resolve()));
    await b.close();
  });

  check('calls under way are lost, later ones are not begun', async ({ open, settle }) => {
    const reasons: Promise<unknown>[] = [];
    const hang = (_: Uint8Array, { signal }: CallContext): Promise<Uint8Array> => {
      reasons.push(aborted(signal));
      return forever();
    };
    const trickle = async function* (_: Uint8Array, { signal }: CallContext) {
      reasons.push(aborted(signal));
      yield bytes(1);
      await forever();
    };
    const [a, b] = await open({}, { handlers: { call: { hang }, stream: { trickle } } });
    const call = a.call('hang', bytes());
    const stream = collect(a.stream('trickle', bytes()));
    for (const promise of [call, stream]) promise.catch(() => {});
    while (reasons.length < 2) await settle();
    void b.close();
    await expect(call).rejects.toMatchObject(lost(true));
    await expect(stream).rejects.toMatchObject(lost(true));
    for (const reason of await Promise.all(reasons)) {
      expect(reason).toMatchObject({ code: 'CONNECTION_FAILED' });
    }
    await expect(a.call('hang', bytes())).rejects.toMatchObject(lost(false));
    await expect(collect(a.stream('trickle', bytes()))).rejects.toMatchObject(lost(false));
    expect(a.send('hang', bytes())).toBe(false);
  });

  check('what was said before the close arrives', async ({ open, settle }) => {
    let seen = 0;
    const note = (): void => void seen++;
    const [a, b] = await open({}, { handlers: { message: { note } } });
    for (let i = 0; i < 50; i++) a.send('note', filled(100));
    await a.close();
    while (b.isOpen) await settle();
    expect(seen).toBe(50);
  });
}
