import { describe, expect, test } from 'vitest';
import {
  compareBytes,
  concatBytes,
  equalBytes,
  prefixEnd,
  toHex,
  tryFromHex,
  utf8Decode,
  utf8Encode,
} from './bytes.ts';

const b = (...values: number[]): Uint8Array => Uint8Array.from(values);

test('a prefix sorts before its extensions, then bytes decide', () => {
  const sorted = [b(), b(0), b(0, 0), b(0, 1), b(1), b(0xff), b(0xff, 0)];
  for (let i = 0; i < sorted.length; i++) {
    for (let j = 0; j < sorted.length; j++) {
      expect(Math.sign(compareBytes(sorted[i]!, sorted[j]!))).toBe(Math.sign(i - j));
    }
  }
  expect(equalBytes(b(1, 2), b(1, 2))).toBe(true);
});

describe('prefixEnd', () => {
  test.each([
    [b(1, 2), b(1, 3)],
    [b(1, 0xff), b(2)],
    [b(0), b(1)],
  ])('%o → %o', (prefix, end) => {
    expect(prefixEnd(prefix)).toEqual(end);
  });
  test('has no end when all bytes are 0xff or there are none', () => {
    expect(prefixEnd(b(0xff, 0xff))).toBeUndefined();
    expect(prefixEnd(b())).toBeUndefined();
  });
});

test('hexadecimal both ways, nothing else accepted', () => {
  expect(toHex(b(0, 15, 255))).toBe('000fff');
  expect(tryFromHex('000FfF')).toEqual(b(0, 15, 255));
  expect(tryFromHex('0')).toBeUndefined();
  expect(tryFromHex('0g')).toBeUndefined();
});

test('UTF-8 refuses what is not well formed', () => {
  expect(utf8Decode(utf8Encode('a😀'))).toBe('a😀');
  expect(() => utf8Decode(b(0xc3, 0x28))).toThrow(TypeError);
  expect(concatBytes(b(1), b(), b(2, 3))).toEqual(b(1, 2, 3));
});
