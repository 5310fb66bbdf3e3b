import {
  compareBytes,
  compareValues,
  makeObject,
  prefixEnd,
  Prng,
  toHex,
  type Value,
} from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { decodeTuple, encodeTuple, TupleReader, TupleWriter } from './tuple.ts';

const seeds = [1, 2, 3];

// Few and awkward, so that random values share prefixes and differ in the corners.
const texts = ['', '\0', '\0\0', 'a', 'aa', 'ab', 'b', 'a\0', 'é', '\u07ff', '\u0800', '\uffff']
  .concat(['\u{10000}', '\u{10ffff}', '\ud7ff', '\ue000', '__proto__', 'a'.repeat(40)])
  .concat(['é'.repeat(30), '\u007f', '\u0080']);
const numbers = [0, -0, 1, -1, 1.5, -1.5, 255, 256, -256, 2 ** 53, -(2 ** 53), 5e-324, -5e-324]
  .concat([
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    1e21,
    0.1,
    Number.MIN_VALUE * 3,
    2 ** 31,
    -(2 ** 31),
  ])
  .concat([4294967295, 4294967296, 2 ** -1022]);

function randomNumber(prng: Prng): number {
  if (prng.chance(0.5)) return prng.pick(numbers);
  const value = new DataView(prng.bytes(8).buffer as ArrayBuffer).getFloat64(0);
  return Number.isFinite(value) ? value : 7;
}

function randomText(prng: Prng): string {
  return prng.chance(0.6) ? prng.pick(texts) : prng.pick(texts) + prng.pick(texts);
}

function randomValue(prng: Prng, depth: number): Value {
  switch (prng.below(depth > 0 ? 8 : 5)) {
    case 0:
      return null;
    case 1:
      return prng.chance(0.5);
    case 2:
    case 3:
      return randomNumber(prng);
    case 4:
      return randomText(prng);
    case 5:
    case 6:
      return Array.from({ length: prng.below(4) }, () => randomValue(prng, depth - 1));
    default: {
      const object = makeObject();
      for (let i = prng.below(4); i > 0; i--)
        object[randomText(prng)] = randomValue(prng, depth - 1);
      return object;
    }
  }
}

/** A value near `value`: most interesting comparisons are between values that almost agree. */
function neighbour(prng: Prng, value: Value): Value {
  if (Array.isArray(value)) {
    const items = value.map((item: Value) => (prng.chance(0.3) ? neighbour(prng, item) : item));
    return prng.chance(0.3) ? [...items, prng.pick([null, null, false, 0])] : items;
  }
  if (typeof value === 'object' && value !== null) {
    const object = makeObject();
    for (const [name, item] of Object.entries(value)) {
      if (prng.chance(0.8)) object[name] = prng.chance(0.2) ? neighbour(prng, item) : item;
    }
    if (prng.chance(0.4)) object[randomText(prng)] = randomValue(prng, 1);
    return object;
  }
  return prng.chance(0.5) ? value : randomValue(prng, 1);
}

function sign(order: number): number {
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

describe.each(seeds)('seed %i', (seed) => {
  test('bytes order as values do', () => {
    const prng = new Prng(seed);
    let equal = 0;
    for (let i = 0; i < 20_000; i++) {
      const a = randomValue(prng, 3);
      const b = prng.chance(0.6) ? neighbour(prng, a) : randomValue(prng, 3);
      const byBytes = sign(compareBytes(encodeTuple([a]), encodeTuple([b])));
      const byValue = sign(compareValues(a, b));
      if (byBytes !== byValue) {
        expect.fail(`${JSON.stringify(a)} and ${JSON.stringify(b)}: ${byBytes} for ${byValue}`);
      }
      if (byValue === 0) equal++;
    }
    expect(equal).toBeGreaterThan(500);
    expect(equal).toBeLessThan(18_000);
  });

  test('tuples of several values order field by field', () => {
    const prng = new Prng(seed + 100);
    for (let i = 0; i < 5_000; i++) {
      const a = [randomValue(prng, 2), randomValue(prng, 2), randomValue(prng, 2)];
      const b = a.map((value) => (prng.chance(0.6) ? value : neighbour(prng, value)));
      const order = a.map((value, at) => compareValues(value, b[at]!)).find((o) => o !== 0) ?? 0;
      expect(sign(compareBytes(encodeTuple(a), encodeTuple(b)))).toBe(sign(order));
    }
  });

  test('decoding gives an equal value of the same encoding, and finds the end', () => {
    const prng = new Prng(seed + 200);
    for (let i = 0; i < 5_000; i++) {
      const values = Array.from({ length: prng.below(4) }, () => randomValue(prng, 3));
      const encoded = encodeTuple(values);
      const padded = new TupleWriter().u8(9).bytes(encoded).bytes(prng.bytes(5)).finish();
      const decoded = decodeTuple(padded, 1, values.length);
      expect(decoded.end).toBe(1 + encoded.length);
      expect(decoded.values.every((value, at) => compareValues(value, values[at]!) === 0)).toBe(
        true,
      );
      expect(toHex(encodeTuple(decoded.values))).toBe(toHex(encoded));
      const reader = new TupleReader(encoded);
      for (const _ of values) reader.skip();
      expect(reader.position).toBe(encoded.length);
    }
  });

  test('exactly the tuples with equal first fields lie in the range of their prefix', () => {
    const prng = new Prng(seed + 300);
    for (let i = 0; i < 5_000; i++) {
      const first = randomValue(prng, 2);
      const other = neighbour(prng, first);
      const prefix = encodeTuple([first]);
      const key = encodeTuple([other, randomValue(prng, 2)]);
      const isInside = compareBytes(key, prefix) >= 0 && compareBytes(key, prefixEnd(prefix)!) < 0;
      expect(isInside).toBe(compareValues(first, other) === 0);
    }
  });

  test('a string prefix bounds exactly the strings that begin with it', () => {
    const prng = new Prng(seed + 400);
    for (let i = 0; i < 2_000; i++) {
      const start = randomText(prng);
      const text = prng.chance(0.5) ? start + randomText(prng) : randomText(prng);
      const prefix = new TupleWriter().stringPrefix(start).finish();
      const key = encodeTuple([text]);
      const isInside = compareBytes(key, prefix) >= 0 && compareBytes(key, prefixEnd(prefix)!) < 0;
      expect(isInside).toBe(text.startsWith(start));
    }
  });

  test('damaged bytes give DATA_CORRUPT or a value, never anything else', () => {
    const prng = new Prng(seed + 500);
    for (let i = 0; i < 5_000; i++) {
      const bytes = encodeTuple([randomValue(prng, 3), randomValue(prng, 3)]).slice();
      if (bytes.length > 0) bytes[prng.below(bytes.length)] = prng.below(256);
      const cut = bytes.subarray(0, prng.chance(0.5) ? bytes.length : prng.below(bytes.length));
      for (const read of [decodeTuple, skipAll]) {
        try {
          read(cut);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DATA_CORRUPT' });
        }
      }
    }
  });
});

function skipAll(bytes: Uint8Array): void {
  const reader = new TupleReader(bytes);
  while (reader.position < bytes.length) reader.skip();
}
