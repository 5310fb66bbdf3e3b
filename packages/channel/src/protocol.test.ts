import { emptyBytes, Prng, utf8Encode, type NetworkConnection } from '@themisdb/base';
import { makeSimEnv, SimNetwork, type SimEnv } from '@themisdb/testing';
import { describe, expect, test } from 'vitest';
import {
  openChannel,
  type ChannelHandlers,
  type ChannelLimits,
  type ShardChannel,
} from './index.ts';
import { FrameDecoder, writeU32 } from './wire/decoder.ts';
import { frameFlags, frameTypes } from './wire/frame.ts';
import { decodeGoodbye, type Goodbye } from './wire/goodbye.ts';
import { encodeHello, type Hello } from './wire/hello.ts';

// The other side here is not our code: it says what it likes, byte by byte.

const hello: Hello = {
  versionMin: 1,
  versionMax: 1,
  identity: { nodeId: 2 ** 40 + 7, clusterId: 'c', role: 'node' },
  frameBytesMax: 65_536,
  messageBytesMax: 1_000_000,
  windowBytes: 5_000,
  callsMax: 10,
  operations: [
    { kind: 'call', name: 'ask' },
    { kind: 'stream', name: 'list' },
  ],
};

function frame(type: number, flags: number, callId: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(10 + body.length);
  writeU32(out, 0, 6 + body.length);
  out[4] = type;
  out[5] = flags;
  writeU32(out, 6, callId);
  out.set(body, 10);
  return out;
}

const helloFrame = (changes: Partial<Hello> = {}): Uint8Array =>
  frame(frameTypes.hello, 0, 0, encodeHello({ ...hello, ...changes }));

/** A request of operation 0 (`echo`), 1 (`flow`), 2 (`upload`) or 3 (`note`), as ours lists them. */
function request(callId: number, operation: number, flags: number, body = emptyBytes): Uint8Array {
  return frame(frameTypes.request, flags, callId, Uint8Array.of(0, operation, 0, 0, 0, 0, ...body));
}

const handlers: ChannelHandlers = {
  call: { echo: (body) => body },
  stream: {
    async *flow() {
      for (;;) yield new Uint8Array(1_000);
    },
  },
  duplex: { upload: () => new Promise(() => {}) },
  message: { note() {} },
};

interface RawPeer {
  readonly connection: NetworkConnection;
  /** Frames that came, hello and signs of life left out. */
  readonly frames: { type: number; flags: number; callId: number; body: Uint8Array }[];
  readonly goodbye: () => Goodbye | undefined;
  isClosed: boolean;
}

interface Meeting {
  readonly env: SimEnv;
  readonly raw: RawPeer;
  /** Our end, or why there is none. */
  readonly channel: Promise<ShardChannel>;
  say(...bytes: Uint8Array[]): Promise<void>;
}

function watch(connection: NetworkConnection): RawPeer {
  const frames: RawPeer['frames'] = [];
  const decoder = new FrameDecoder(1 << 20, (type, flags, callId, body) => {
    if (type !== frameTypes.hello && type !== frameTypes.ping) {
      frames.push({ type, flags, callId, body });
    }
  });
  const goodbye = (): Goodbye | undefined => {
    const last = frames.find(({ type }) => type === frameTypes.goodbye);
    return last && decodeGoodbye(last.body);
  };
  const raw: RawPeer = { connection, frames, goodbye, isClosed: false };
  connection.start({ data: (bytes) => decoder.push(bytes), close: () => (raw.isClosed = true) });
  return raw;
}

function meet(
  body: (meeting: Meeting) => Promise<void>,
  limits: Partial<ChannelLimits> = {},
): Promise<void> {
  const env = makeSimEnv(1);
  const network = new SimNetwork(env.scheduler, env.prng.fork(), env.trace);
  const identity = { nodeId: 1, clusterId: 'c', role: 'node' };
  return env.run(async () => {
    let channel!: Promise<ShardChannel>;
    await network.host('b').listen('b:1', (connection) => {
      channel = openChannel(connection, { env, identity, handlers, limits });
      channel.catch(() => {});
    });
    const raw = watch(await network.host('a').connect('b:1'));
    const say = async (...bytes: Uint8Array[]): Promise<void> => {
      for (const part of bytes) raw.connection.write(part);
      await env.timers.sleep(20);
    };
    await body({ env, raw, channel, say });
  });
}

describe('the hello', () => {
  test('makes a channel that knows who is there', () =>
    meet(async ({ raw, channel, say }) => {
      await say(helloFrame());
      expect((await channel).peer).toEqual({ nodeId: 2 ** 40 + 7, clusterId: 'c', role: 'node' });
      await say(request(1, 0, frameFlags.end, Uint8Array.of(5)));
      const answer = { type: frameTypes.answer, flags: frameFlags.end, callId: 1 };
      expect(raw.frames).toEqual([{ ...answer, body: Uint8Array.of(5) }]);
    }));

  test.each<[string, Uint8Array, string]>([
    ['of a later version', helloFrame({ versionMin: 2, versionMax: 9 }), 'version'],
    ['of an earlier version', helloFrame({ versionMin: 0, versionMax: 0 }), 'version'],
    [
      'of another cluster',
      helloFrame({ identity: { ...hello.identity, clusterId: 'd' } }),
      'wrong-cluster',
    ],
    ['with limits nothing fits into', helloFrame({ frameBytesMax: 10 }), 'bad-frame'],
    ['that is HTTP', utf8Encode('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'too-large'],
    ['that is TLS', Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), 'too-large'],
    ['that is another frame', frame(frameTypes.ping, 0, 0, emptyBytes), 'out-of-place'],
    ['without the magic', frame(frameTypes.hello, 0, 0, new Uint8Array(60)), 'bad-frame'],
    ['above its limit', frame(frameTypes.hello, 0, 0, new Uint8Array(70_000)), 'too-large'],
  ])('%s is refused, with a reason', (_, bytes, reason) =>
    meet(async ({ raw, channel, say }) => {
      await say(bytes);
      const refusal = { code: 'PROTOCOL_ERROR', details: { reason, by: 'us' } };
      await expect(channel).rejects.toMatchObject(refusal);
      expect(raw.goodbye()).toMatchObject({ reason });
      expect(raw.goodbye()!.text).not.toBe('');
      expect(raw.isClosed).toBe(true);
    }),
  );

  test('a range of versions that holds ours will do', () =>
    meet(async ({ channel, say }) => {
      await say(helloFrame({ versionMin: 1, versionMax: 9 }));
      expect((await channel).isOpen).toBe(true);
    }));

  test('cut short anywhere is refused', async () => {
    const whole = encodeHello(hello);
    for (let length = 0; length < whole.length; length++) {
      await meet(async ({ raw, channel, say }) => {
        await say(frame(frameTypes.hello, 0, 0, whole.subarray(0, length)));
        await expect(channel).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
        expect(raw.goodbye()!.reason).toBe('bad-frame');
      });
    }
  });

  test('extensions are skipped unless they must be understood', async () => {
    const extended = (tag: number): Uint8Array =>
      frame(
        frameTypes.hello,
        0,
        0,
        Uint8Array.of(...encodeHello(hello), tag >>> 8, tag & 255, 0, 0, 0, 2, 9, 9),
      );
    await meet(async ({ channel, say }) => {
      await say(extended(0x7fff));
      expect((await channel).isOpen).toBe(true);
    });
    await meet(async ({ channel, say }) => {
      await say(extended(0x8000));
      const refusal = { code: 'PROTOCOL_ERROR', details: { reason: 'version' } };
      await expect(channel).rejects.toMatchObject(refusal);
    });
  });

  test('has to come in time', () =>
    meet(async ({ env, raw, channel }) => {
      await env.timers.sleep(4_900);
      expect(raw.isClosed).toBe(false);
      await env.timers.sleep(200);
      const refusal = { code: 'PROTOCOL_ERROR', details: { reason: 'hello-timeout' } };
      await expect(channel).rejects.toMatchObject(refusal);
      expect(raw.isClosed).toBe(true);
    }));

  test('answered by a goodbye gives its reason', () =>
    meet(async ({ channel, say }) => {
      const body = Uint8Array.of(9, ...utf8Encode('not on the list\n'));
      await say(frame(frameTypes.goodbye, 0, 0, body));
      const details = { reason: 'denied', by: 'peer' };
      const refusal = { code: 'PROTOCOL_ERROR', message: 'not on the list ', details };
      await expect(channel).rejects.toMatchObject(refusal);
    }));
});

describe('frames that do not fit', () => {
  const chunk = (callId: number, bytes: number, flags = 0): Uint8Array =>
    frame(frameTypes.requestChunk, flags, callId, new Uint8Array(bytes));
  const more = frameFlags.more;

  test.each<[string, Uint8Array[], string]>([
    ['a second hello', [helloFrame()], 'out-of-place'],
    ['an unknown type', [frame(0x77, 0, 0, emptyBytes)], 'bad-frame'],
    ['an unknown flag', [frame(frameTypes.ping, 0x10, 0, emptyBytes)], 'bad-frame'],
    ['the flag of a MAC', [frame(frameTypes.ping, frameFlags.mac, 0, emptyBytes)], 'bad-frame'],
    ['an answer to no call', [frame(frameTypes.answer, 1, 5, emptyBytes)], 'out-of-place'],
    ['an error of no call', [frame(frameTypes.error, 1, 5, emptyBytes)], 'out-of-place'],
    ['a request cut short', [frame(frameTypes.request, 1, 1, Uint8Array.of(0, 0, 0))], 'bad-frame'],
    ['a request of no operation', [request(1, 9, 1)], 'out-of-place'],
    ['a request of a message', [request(1, 3, 1)], 'out-of-place'],
    ['a request without an id', [request(0, 0, 1)], 'out-of-place'],
    ['a request with chunks to a call', [request(1, 0, 0)], 'out-of-place'],
    ['a whole request to a duplex', [request(1, 2, 1)], 'out-of-place'],
    ['a call twice', [request(1, 1, 1), request(1, 1, 1)], 'out-of-place'],
    ['a message of a call', [frame(frameTypes.message, 0, 0, Uint8Array.of(0, 0))], 'out-of-place'],
    ['chunks to a stream', [request(1, 1, 1), chunk(1, 10)], 'out-of-place'],
    ['an end with bytes', [request(1, 2, 0), chunk(1, 10, 1)], 'out-of-place'],
    [
      'chunks beyond the window',
      [request(1, 2, 0), chunk(1, 3_000), chunk(1, 3_000), chunk(1, 0)],
      'out-of-place',
    ],
    [
      'a frame above the limit',
      [frame(frameTypes.message, 0, 0, new Uint8Array(10_001))],
      'too-large',
    ],
    ['the rest of nothing', [frame(frameTypes.continuation, 0, 1, emptyBytes)], 'out-of-place'],
    [
      'a long message in small parts',
      [frame(frameTypes.message, more, 0, new Uint8Array(10))],
      'bad-frame',
    ],
    ['two long messages at once', [chunk(1, 2_000, more), chunk(2, 2_000, more)], 'out-of-place'],
    [
      'the rest of another message',
      [chunk(1, 2_000, more), frame(frameTypes.continuation, 0, 2, new Uint8Array(5))],
      'out-of-place',
    ],
    [
      'a message above the limit',
      [
        chunk(1, 10_000, more),
        frame(frameTypes.continuation, more, 1, new Uint8Array(10_000)),
        frame(frameTypes.continuation, 0, 1, new Uint8Array(1_000)),
      ],
      'too-large',
    ],
  ])('%s ends the channel with a reason', (_, frames, reason) =>
    meet(
      async ({ raw, channel, say }) => {
        await say(helloFrame());
        const end = await channel;
        const closed = new Promise((resolve) => end.onClose(resolve));
        await say(...frames);
        const error = { code: 'PROTOCOL_ERROR', details: { reason, by: 'us' } };
        expect(await closed).toMatchObject(error);
        expect(raw.goodbye()).toMatchObject({ reason });
        expect(raw.isClosed).toBe(true);
        expect(end.isOpen).toBe(false);
      },
      { frameBytesMax: 10_000, messageBytesMax: 20_000, windowBytes: 5_000 },
    ),
  );

  test.each<[string, number, Uint8Array]>([
    ['an answer that does not end', 0, emptyBytes],
    ['a chunk', -1, emptyBytes],
  ])('%s to a call ends it', (_, flags, body) =>
    meet(async ({ raw, channel, say }) => {
      await say(helloFrame());
      const answer = (await channel).call('ask', emptyBytes);
      answer.catch(() => {});
      await say();
      const type = flags === -1 ? frameTypes.answerChunk : frameTypes.answer;
      await say(frame(type, 0, raw.frames[0]!.callId, body));
      const lost = { code: 'CONNECTION_FAILED', details: { sent: true } };
      await expect(answer).rejects.toMatchObject(lost);
      expect(raw.goodbye()).toMatchObject({ reason: 'out-of-place' });
    }),
  );

  test.each(['', '[]', '{"code":1}', '{"code":"X","message":"m"}', '\xff'])(
    'an error frame of %j ends the channel',
    (text) =>
      meet(async ({ raw, channel, say }) => {
        await say(helloFrame());
        const answer = (await channel).call('ask', emptyBytes);
        answer.catch(() => {});
        await say();
        const body = Uint8Array.from(text, (c) => c.charCodeAt(0));
        await say(frame(frameTypes.error, 1, raw.frames[0]!.callId, body));
        await expect(answer).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
        expect(raw.goodbye()).toMatchObject({ reason: 'bad-frame' });
      }),
  );

  test('what is late is not out of place', () =>
    meet(async ({ raw, channel, say }) => {
      await say(helloFrame(), request(1, 0, 1));
      const credit = Uint8Array.of(0, 0, 1, 0);
      await say(
        frame(frameTypes.cancel, 0, 1, emptyBytes),
        frame(frameTypes.answerCredit, 0, 1, credit),
        chunk(1, 10),
        request(1, 0, 1),
      );
      expect((await channel).isOpen).toBe(true);
      expect(raw.frames.map(({ type }) => type)).toEqual([frameTypes.answer, frameTypes.answer]);
    }));
});

describe('a side that takes too much', () => {
  test('gets no more of a stream than it has given credit for', () =>
    meet(async ({ raw, say }) => {
      await say(helloFrame(), request(1, 1, 1));
      expect(raw.frames.length).toBe(5);
      await say(frame(frameTypes.answerCredit, 0, 1, Uint8Array.of(0, 0, 8, 0)));
      expect(raw.frames.length).toBe(7);
    }));

  test('and does not read is dropped', () =>
    meet(
      async ({ env, raw, channel, say }) => {
        await say(helloFrame());
        const end = await channel;
        const closed = new Promise((resolve) => end.onClose(resolve));
        raw.connection.pause();
        const body = new Uint8Array(60_000);
        for (let i = 1; i < 20; i++) raw.connection.write(request(i, 0, 1, body));
        // Refusals take memory too.
        for (let i = 20; i < 6_000; i++) raw.connection.write(request(i, 0, 1));
        await env.timers.sleep(3_000);
        const error = { code: 'PROTOCOL_ERROR', details: { reason: 'slow-peer', by: 'us' } };
        expect(await closed).toMatchObject(error);
      },
      { frameBytesMax: 65_536, messageBytesMax: 65_536, bufferedBytesMax: 400_000 },
    ));

  test('and asks for signs of life without reading them fills no memory', () =>
    meet(async ({ env, raw, channel, say }) => {
      await say(helloFrame());
      raw.connection.pause();
      const pings = new Uint8Array(10_000);
      for (let at = 0; at < pings.length; at += 10) pings.set([0, 0, 0, 6, 3, 0, 0, 0, 0, 0], at);
      for (let i = 0; i < 100; i++) raw.connection.write(pings);
      await env.timers.sleep(1_000);
      expect((await channel).stats().bufferedBytes).toBeLessThan(100_000);
    }));

  test('has its requests refused while too many bytes of them are held', () =>
    meet(
      async ({ raw, channel, say }) => {
        await say(helloFrame());
        const big = new Uint8Array(3_000);
        // `upload` never answers.
        await say(request(1, 2, 0, big), request(2, 2, 0, big), request(3, 0, 1));
        expect(raw.frames).toMatchObject([{ type: frameTypes.error, callId: 3 }]);
        expect(new TextDecoder().decode(raw.frames[0]!.body)).toContain('TOO_MANY_REQUESTS');
        expect((await channel).isOpen).toBe(true);
      },
      { bufferedBytesMax: 5_000 },
    ));

  test('has its requests refused while too many are under way, whatever it was told', () =>
    meet(
      async ({ raw, channel, say }) => {
        const cancel = (callId: number): Uint8Array =>
          frame(frameTypes.cancel, 0, callId, emptyBytes);
        const about = (callId: number): unknown[] =>
          raw.frames.filter((one) => one.callId === callId).map(({ type }) => type);
        await say(helloFrame(), request(1, 1, 1), request(2, 2, 0), request(3, 0, 1));
        expect(about(3)).toEqual([frameTypes.error]);
        const refusal = raw.frames.find(({ callId }) => callId === 3)!;
        expect(new TextDecoder().decode(refusal.body)).toContain('TOO_MANY_REQUESTS');
        // A handler that does not heed its signal keeps its place; a stream gives it back.
        await say(cancel(2), request(4, 0, 1));
        expect(about(4)).toEqual([frameTypes.error]);
        await say(cancel(1), request(5, 0, 1), request(6, 0, 1));
        expect([about(5), about(6)]).toEqual([[frameTypes.answer], [frameTypes.answer]]);
        expect((await channel).stats().callsIn).toBe(1);
      },
      { callsMax: 2 },
    ));

  test('has as many as it likes served, one after the other', () =>
    meet(
      async ({ raw, say }) => {
        await say(helloFrame());
        for (let i = 1; i <= 10; i++) await say(request(i, 0, 1, new Uint8Array(3_000)));
        const answers = raw.frames.filter(({ type }) => type === frameTypes.answer);
        expect(answers.map(({ callId }) => callId)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      },
      { bufferedBytesMax: 5_000 },
    ));
});

describe('a side that takes little', () => {
  test('is not asked more than it serves at once', () =>
    meet(async ({ raw, channel, say }) => {
      await say(helloFrame({ callsMax: 3 }));
      const end = await channel;
      const held = [1, 2, 3].map(() => end.call('ask', emptyBytes));
      for (const call of held) call.catch(() => {});
      const refusal = { code: 'TOO_MANY_REQUESTS' };
      await expect(end.call('ask', emptyBytes)).rejects.toMatchObject(refusal);
      await say();
      expect(raw.frames.map(({ type }) => type)).toEqual(Array(3).fill(frameTypes.request));
      await say(frame(frameTypes.answer, frameFlags.end, raw.frames[1]!.callId, emptyBytes));
      expect(await held[1]).toEqual(emptyBytes);
      void end.call('ask', emptyBytes).catch(() => {});
      await say();
      expect(raw.frames).toHaveLength(4);
      const ids = raw.frames.map(({ callId }) => callId);
      expect(new Set(ids).size).toBe(4);
    }));

  test('is sent frames and messages no longer than it takes', () =>
    meet(async ({ raw, channel, say }) => {
      await say(helloFrame({ frameBytesMax: 2_000, messageBytesMax: 9_000 }));
      const end = await channel;
      const refusal = { code: 'BODY_TOO_LARGE' };
      await expect(end.call('ask', new Uint8Array(9_001))).rejects.toMatchObject(refusal);
      void end.call('ask', new Uint8Array(9_000)).catch(() => {});
      await say();
      const lengths = raw.frames.map(({ body }) => body.length);
      expect(lengths).toEqual([2_000, 2_000, 2_000, 2_000, 1_006]);
    }));

  test('has messages dropped while it does not read', () =>
    meet(
      async ({ env, raw, channel, say }) => {
        const operations = [{ kind: 'message', name: 'tell' }] as const;
        await say(helloFrame({ operations }));
        const end = await channel;
        raw.connection.pause();
        let sent = 0;
        while (end.send('tell', new Uint8Array(1_000)) && sent < 10_000) {
          sent++;
          if (sent % 50 === 0) await env.timers.sleep(5);
        }
        expect(sent).toBeGreaterThan(100);
        expect(sent).toBeLessThan(600);
        raw.connection.resume();
        await env.timers.sleep(100);
        expect(raw.frames).toHaveLength(sent);
        expect(end.send('tell', new Uint8Array(1_000))).toBe(true);
      },
      { messagesBytesMax: 100_000 },
    ));
});

describe('fuzz', () => {
  /** A session that is well-formed, as a start for ones that are not. */
  const session = (): Uint8Array[] => [
    helloFrame(),
    request(1, 0, 1, Uint8Array.of(1, 2, 3)),
    request(2, 1, 1),
    frame(frameTypes.answerCredit, 0, 2, Uint8Array.of(0, 0, 4, 0)),
    request(3, 2, 0, new Uint8Array(20)),
    frame(frameTypes.requestChunk, 0, 3, new Uint8Array(50)),
    frame(frameTypes.requestChunk, frameFlags.more, 3, new Uint8Array(1_500)),
    frame(frameTypes.message, 0, 0, Uint8Array.of(0, 3, 9)),
    frame(frameTypes.continuation, 0, 3, new Uint8Array(100)),
    frame(frameTypes.ping, 0, 0, emptyBytes),
    frame(frameTypes.requestChunk, 1, 3, emptyBytes),
    frame(frameTypes.cancel, 0, 2, emptyBytes),
  ];

  function damage(prng: Prng, frames: Uint8Array[]): Uint8Array {
    if (prng.chance(0.3)) prng.shuffle(frames);
    if (prng.chance(0.3)) frames.splice(prng.below(frames.length), 1);
    if (prng.chance(0.3)) frames.splice(prng.below(frames.length), 0, prng.pick(frames));
    const bytes = Uint8Array.from(frames.flatMap((part) => [...part]));
    for (let i = prng.below(4); i > 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
    if (prng.chance(0.2)) return bytes.slice(0, prng.below(bytes.length));
    return bytes;
  }

  test.each(Array.from({ length: 300 }, (_, i) => i + 1))(
    'a damaged session ends in a typed close or not at all, seed %i',
    (seed) =>
      meet(async ({ env, raw, channel, say }) => {
        const prng = new Prng(seed);
        await say(damage(prng, session()));
        if (prng.chance(0.5)) await say(prng.bytes(prng.below(200)));
        raw.connection.end();
        await env.timers.sleep(10_000);
        const end = await channel.catch((error: unknown) => error);
        const codes = ['PROTOCOL_ERROR', 'CONNECTION_FAILED'];
        if (end instanceof Error) expect(codes).toContain((end as { code?: string }).code);
        else {
          const error = await new Promise<unknown>((done) => (end as ShardChannel).onClose(done));
          if (error !== undefined) expect(codes).toContain((error as { code: string }).code);
          expect((end as ShardChannel).stats()).toMatchObject({ callsIn: 0, callsOut: 0 });
        }
        expect(env.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
      }),
  );
});
