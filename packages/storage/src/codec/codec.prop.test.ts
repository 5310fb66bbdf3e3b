import { describe, expect, test } from 'vitest';
import { isObject, makeObject, Prng, type Value } from '@themisdb/base';
import { defaultLimits } from '../limits.ts';
import { randomObject, randomValue } from '../testing/random-value.ts';
import { ByteWriter } from './byte-writer.ts';
import { decodeMapInto, decodeValue, decodeValueAt } from './decode.ts';
import { encodeValue } from './encode.ts';
import { PathReader, valueOfPath } from './path-reader.ts';
import { skipValue } from './skip.ts';

function encode(value: Value): Uint8Array {
  const writer = new ByteWriter(8);
  encodeValue(writer, value, defaultLimits);
  return writer.slice();
}

/** Equal in type, sign of zero and order of attributes. */
function same(a: Value, b: Value): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each: Value, i) => same(each, b[i] as Value));
  if (isObject(a) && isObject(b)) {
    const [x, y] = [Object.keys(a), Object.keys(b)];
    return x.length === y.length && x.every((name, i) => name === y[i] && same(a[name]!, b[name]!));
  }
  return Object.is(a, b);
}

const seeds = [1, 2, 3, 4, 5];

describe.each(seeds)('seed %i', (seed) => {
  test('values come back as they were', () => {
    const prng = new Prng(seed);
    for (let i = 0; i < 400; i++) {
      const value = randomValue(prng);
      const bytes = encode(value);
      expect(same(decodeValue(bytes), value)).toBe(true);
      expect(decodeValueAt(bytes, 0).end).toBe(bytes.length);
      expect(skipValue(bytes, 0)).toBe(bytes.length);
    }
  });

  test('paths read from bytes are what access on the document gives', () => {
    const prng = new Prng(seed);
    const steps = ['a', 'b', '__proto__', 'constructor', '0', 'ä', 'n1', 'a'.repeat(70)];
    const paths = Array.from({ length: 12 }, () => {
      const path = { steps: Array.from({ length: prng.between(1, 3) }, () => prng.pick(steps)) };
      return prng.chance(0.3) ? { ...path, expandAfter: prng.between(1, path.steps.length) } : path;
    });
    const reader = new PathReader(paths);
    for (let i = 0; i < 300; i++) {
      const document = randomObject(prng, prng.below(20)) as Value;
      const bytes = encode(document);
      const target: Value[] = ['kept'];
      reader.read(bytes, 0, target, 1);
      expect(target[0]).toBe('kept');
      const wrong = paths.filter((path, p) => !same(target[p + 1]!, valueOfPath(document, path)));
      expect(wrong).toEqual([]);
    }
  });

  test('a map decodes over what is there', () => {
    const prng = new Prng(seed);
    const document = randomObject(prng, 12);
    const out = makeObject();
    out['a'] = 'before';
    out['only here'] = 1;
    decodeMapInto(out, encode(document as Value), 0);
    const expected = { ...document, 'only here': 1 } as Record<string, Value>;
    for (const name of Object.keys(document)) expect(same(out[name]!, expected[name]!)).toBe(true);
    expect(out['only here']).toBe(1);
  });
});

test.each([
  [null, [0xc0]],
  [true, [0xc3]],
  [1, [1]],
  [-1, [0xff]],
  [200, [0xcc, 200]],
  [-200, [0xd1, 0xff, 0x38]],
  [2 ** 40, [0xcf, 0, 0, 1, 0, 0, 0, 0, 0]],
  [-(2 ** 40), [0xd3, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0]],
  [-0, [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0]],
  ['a', [0xa1, 0x61]],
  ['ä', [0xa2, 0xc3, 0xa4]],
  [
    [1, 2],
    [0x92, 1, 2],
  ],
] as const)('%j has the bytes of the msgpack specification', (value, bytes) => {
  expect([...encode(value as Value)]).toEqual(bytes);
});

test.each([
  ['a lone surrogate', 'a\ud800', 'BAD_UTF8'],
  ['a lone surrogate in a long string', `${'x'.repeat(100)}\udc00`, 'BAD_UTF8'],
  ['infinity', Infinity, 'NUMBER_OUT_OF_RANGE'],
  ['no number', NaN, 'NUMBER_OUT_OF_RANGE'],
])('%s is refused', (_, value, code) => {
  expect(() => encode(value)).toThrow(expect.objectContaining({ code }));
});

test('depth and number of attributes are limited', () => {
  const nested = (levels: number): Value =>
    Array.from({ length: levels }).reduce<Value>((inner) => [inner], 1);
  expect(() => encode(nested(128))).not.toThrow();
  expect(() => encode(nested(129))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  expect(() => encode(nested(100_000))).toThrow(/128 levels/);
  const wide = (count: number): Value => {
    const out = makeObject();
    for (let i = 0; i < count; i++) out[`a${i}`] = i;
    return out;
  };
  expect(() => encode(wide(10_000))).not.toThrow();
  expect(() => encode(wide(10_001))).toThrow(/10000 are allowed/);
});

test('bytes that no encoder made are damage', () => {
  for (const start of [decodeValue, skipValue] as ((bytes: Uint8Array, at: number) => unknown)[]) {
    expect(() => start(new Uint8Array([0xc1]), 0)).toThrow(
      expect.objectContaining({ code: 'DATA_CORRUPT' }),
    );
  }
});
