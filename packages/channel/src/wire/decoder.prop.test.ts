import { Prng } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { FrameDecoder, writeU32 } from './decoder.ts';
import { FrameFault } from './faults.ts';

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly callId: number;
  readonly body: number[];
}

const seeds = Array.from({ length: 200 }, (_, i) => i + 1);

function encode({ type, flags, callId, body }: Frame): number[] {
  const head = new Uint8Array(10);
  writeU32(head, 0, 6 + body.length);
  head[4] = type;
  head[5] = flags;
  writeU32(head, 6, callId);
  return [...head, ...body];
}

function randomFrame(prng: Prng, bodyBytesMax: number): Frame {
  const length = prng.chance(0.2) ? bodyBytesMax : prng.below(prng.pick([2, 20, bodyBytesMax]));
  return {
    type: prng.below(256),
    flags: prng.below(256),
    callId: prng.u32(),
    body: [...prng.bytes(length)],
  };
}

/** The stream in pieces of any length, each in memory of its own that is overwritten afterwards. */
function feed(decoder: FrameDecoder, stream: Uint8Array, prng: Prng): void {
  for (let at = 0; at < stream.length;) {
    const length = prng.below(prng.pick([3, 12, 100, 5_000]));
    decoder.push(stream.slice(at, at + length));
    at += length;
  }
}

describe('FrameDecoder', () => {
  test.each(seeds)('gives the same frames however they are cut, seed %i', (seed) => {
    const prng = new Prng(seed);
    const frames = Array.from({ length: 30 }, () => randomFrame(prng, 300));
    const seen: Frame[] = [];
    const decoder = new FrameDecoder(300, (type, flags, callId, body) =>
      seen.push({ type, flags, callId, body: [...body] }),
    );
    feed(decoder, Uint8Array.from(frames.flatMap(encode)), prng);
    expect(seen).toEqual(frames);
  });

  test.each(seeds)(
    'meets random bytes with frames within the limit or a fault, seed %i',
    (seed) => {
      const prng = new Prng(seed);
      const bodies: number[] = [];
      const decoder = new FrameDecoder(500, (_type, _flags, _callId, body) =>
        bodies.push(body.length),
      );
      // Small numbers are likely, so that some lengths are within the limit.
      const stream = Uint8Array.from({ length: 3_000 }, () =>
        prng.chance(0.7) ? 0 : prng.below(256),
      );
      try {
        feed(decoder, stream, prng);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameFault);
        expect(['bad-frame', 'too-large']).toContain((error as FrameFault).reason);
      }
      expect(Math.max(0, ...bodies)).toBeLessThanOrEqual(500);
    },
  );

  test('refuses a length as soon as it is known, before it takes memory for it', () => {
    const decoder = new FrameDecoder(1_000, () => {});
    decoder.push(Uint8Array.of(0xff, 0xff, 0xff));
    expect(() => decoder.push(Uint8Array.of(0xff))).toThrow('1006 are allowed');
    const other = new FrameDecoder(1_000, () => {});
    expect(() => other.push(Uint8Array.of(0, 0, 0, 5))).toThrow('a frame of 5 bytes');
  });
});
