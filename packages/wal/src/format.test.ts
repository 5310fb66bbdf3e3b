import { Prng, toHex } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import {
  encodeFrame,
  encodeSegmentHeader,
  formatVersion,
  frameBytes,
  frameType,
  headerBlockBytes,
  segmentName,
  tryDecodeHeader,
  tryDecodeSegmentHeader,
  trySegmentNumber,
  viewOf,
} from './format.ts';

const place = { salt: 0x1234_5678, fileOffset: 4_096, batchStart: 4_096 };
const frame = {
  type: frameType.record,
  group: 3,
  index: 2 ** 40 + 5,
  term: 2 ** 33 + 1,
  kind: 9,
  payload: Uint8Array.of(1, 2, 3),
};

function encoded(at = 0): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(at + frameBytes(3)).fill(0xff);
  encodeFrame(bytes, viewOf(bytes), at, frame, { ...place, fileOffset: place.fileOffset + at });
  return { bytes, view: viewOf(bytes) };
}

describe('a frame', () => {
  test('has these bytes in format 1', () => {
    expect(toHex(encoded().bytes)).toMatchInlineSnapshot(
      `"3f5c560e00000003f130f21e000010000000000301090000000000020000000100000100000000050102030000000000"`,
    );
  });

  test('gives back what was put in', () => {
    const { bytes, view } = encoded(8);
    expect(tryDecodeHeader(bytes, view, 8, place.salt, place.fileOffset + 8)).toEqual({
      payloadBytes: 3,
      payloadCrc: view.getUint32(16),
      batchStart: 4_096,
      group: 3,
      type: frameType.record,
      kind: 9,
      term: 2 ** 33 + 1,
      index: 2 ** 40 + 5,
    });
  });

  test('is nothing at another offset or under another salt', () => {
    const { bytes, view } = encoded();
    expect(tryDecodeHeader(bytes, view, 0, place.salt, 4_104)).toBeUndefined();
    expect(tryDecodeHeader(bytes, view, 0, place.salt + 1, 4_096)).toBeUndefined();
  });

  test('is nothing when any bit of its header is flipped, or bytes are missing', () => {
    const { bytes, view } = encoded();
    for (let bit = 0; bit < 40 * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(tryDecodeHeader(bytes, view, 0, place.salt, 4_096), `bit ${bit}`).toBeUndefined();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    const cut = bytes.subarray(0, 39);
    expect(tryDecodeHeader(cut, viewOf(cut), 0, place.salt, 4_096)).toBeUndefined();
    expect(tryDecodeHeader(bytes, view, 0, place.salt, 4_096)).toBeDefined();
  });

  test('is a multiple of eight bytes', () => {
    expect([0, 1, 8, 9].map(frameBytes)).toEqual([40, 48, 48, 56]);
  });

  test('is not found in zeros or in random bytes', () => {
    const zeros = new Uint8Array(400);
    expect(tryDecodeHeader(zeros, viewOf(zeros), 0, 0, 0)).toBeUndefined();
    const noise = new Prng(7).bytes(100_000);
    for (let at = 0; at < 99_900; at += 8) {
      expect(tryDecodeHeader(noise, viewOf(noise), at, 7, at)).toBeUndefined();
    }
  });
});

describe('a segment header', () => {
  const header = {
    number: 7,
    salt: 0xdead_beef,
    storeId: Uint8Array.from({ length: 16 }, (_, i) => i),
  };

  test('has these bytes in format 1', () => {
    const bytes = encodeSegmentHeader(header);
    expect(bytes.length).toBe(headerBlockBytes);
    expect(toHex(bytes.subarray(0, 48))).toMatchInlineSnapshot(
      `"5448454d57414c00000000014b52535b00000007deadbeef0000000000000000000102030405060708090a0b0c0d0e0f"`,
    );
    expect(bytes.subarray(48).every((byte) => byte === 0)).toBe(true);
  });

  test('gives back what was put in, and nothing when a bit of it is flipped', () => {
    const bytes = encodeSegmentHeader(header);
    expect(tryDecodeSegmentHeader(bytes)).toEqual({ ...header, version: formatVersion });
    for (let bit = 0; bit < 48 * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(tryDecodeSegmentHeader(bytes), `bit ${bit}`).toBeUndefined();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(tryDecodeSegmentHeader(bytes.subarray(0, 4_095))).toBeUndefined();
  });
});

test('segment names sort by number and are told from other names', () => {
  expect(segmentName(12)).toBe('segment-0000000012.wal');
  expect(trySegmentNumber(segmentName(4_294_967_295))).toBe(4_294_967_295);
  for (const name of ['segment-1.wal', 'segment-0000000012.wal.old', 'x', '']) {
    expect(trySegmentNumber(name)).toBeUndefined();
  }
});
