import { expect, test } from 'vitest';
import {
  isObject,
  makeObject,
  utf8Encode,
  type Prng,
  type Value,
  type ValueObject,
} from '@themisdb/base';
import { NdjsonReader, type NdjsonLine } from '@themisdb/protocol';
import { findAttributes } from './find-attributes.ts';
import type { RowBatch } from './encoded-rows.ts';
import { decodeText } from '../codec/text.ts';
import type { RowEncoder } from '../contract/transaction.ts';
import { randomText, randomValue } from '../testing/random-value.ts';
import { withStore } from '../testing/test-store.ts';

// Strategy: texts of random documents, written in many ways and damaged now and then, are encoded by the
// fast writer and by parser and encoder: where the fast one takes a text, the bytes are equal.

const rounds = 1500;
const wanted = ['a', 'b', '_key', 'n1'];

test.each([1, 2, 3, 4])('encodes what it takes as the slow way does, seed %i', (seed) =>
  withStore(seed, async ({ store, env }) => {
    const { prng } = env;
    const made = await store.createCollection('default', { name: 'c' });
    await store.createIndex(made, { type: 'persistent', fields: wanted });
    const c = store.catalog().byId(made.id)!;
    const [fast, slow] = [store.rowEncoder(c)!, store.rowEncoder(c)!];
    let taken = 0;
    for (let round = 0; round < rounds; round++) {
      const text = damaged(prng, textOf(prng, randomDocument(prng)));
      const padded = utf8Encode(`{"a":${text}},`);
      const start = 5;
      const end = padded.length - 2;
      if (!fast.tryAddJson(padded, start, end)) {
        expect(fast.count).toBe(0);
        continue;
      }
      taken++;
      const line = parse(padded.subarray(start, end));
      expect(line, text).toHaveProperty('value');
      slow.addDocument((line as { value: ValueObject }).value);
      compare(fast.take() as RowBatch, slow.take() as RowBatch, text);
    }
    expect(taken).toBeGreaterThan(rounds / 10);
    expect(taken).toBeLessThan(rounds);
  }),
);

test('takes usual documents, whatever their order, and leaves the others', () =>
  withStore(1, async ({ store }) => {
    const c = await store.createCollection('default', { name: 'c' });
    const takes = (text: string, encoder: RowEncoder = store.rowEncoder(c)!): boolean => {
      const bytes = utf8Encode(text);
      return encoder.tryAddJson(bytes, 0, bytes.length);
    };
    const usual = [
      '{}',
      ' { "a" : [ 1 , -2.50 , true , null ] , "_key" : "k" }\r',
      '{"_key":"k","_id":"c/k","_rev":"1","o":{"_id":1,"x":{"y":"ä\\n\\u00e4\\ud83d\\ude42🙂"}}}',
      '{"pi":3.14159265358979323846,"k":0.1,"z":-0.0,"big":123456789012345}',
    ];
    for (const text of usual) expect(takes(text), text).toBe(true);
    const others = [
      '',
      '[]',
      '{"a":1}{',
      '{"a":1,}',
      '{"a":01}',
      '{"a":1e5}',
      '{"a":9007199254740993}',
      '{"a":1,"a":2}',
      '{"_key":1}',
      '{"_key":""}',
      `{"_key":"${'k'.repeat(255)}"}`,
      '{"a":"\\ud800"}',
      '{"a":"\\x"}',
      '{"a":"\u0001"}',
      '{"a":"open}',
      '{"\\u0061":1}',
      '{"1":1}',
      '{"a":tru}',
      '{"a":-}',
      '{"a":1.}',
      `{"a":${'['.repeat(40)}${']'.repeat(40)}}`,
    ];
    for (const text of others) expect(takes(text), text).toBe(false);
    const badByte = utf8Encode('{"a":"xy"}');
    badByte[7] = 0xff;
    expect(store.rowEncoder(c)!.tryAddJson(badByte, 0, badByte.length)).toBe(false);
    expect(takes('{"a":[[1]]}', store.rowEncoder(c, { depthMax: 2 })!)).toBe(false);
    expect(takes('{"a":1,"b":2}', store.rowEncoder(c, { attributesMax: 2 })!)).toBe(false);
  }));

function parse(bytes: Uint8Array): NdjsonLine | undefined {
  const reader = new NdjsonReader({ lineBytesMax: 10_000_000 });
  // A line break is white space to JSON but the end of a line here.
  return [
    ...reader.push(bytes.map((byte) => (byte === 0x0a ? 0x20 : byte))),
    ...reader.finish(),
  ][0];
}

/** Equal but for keys that were made. */
function compare(fast: RowBatch, slow: RowBatch, text: string): void {
  expect([fast.count, slow.count]).toEqual([1, 1]);
  const isMade = fast.isMade[0] === 1;
  expect(slow.isMade[0], text).toBe(fast.isMade[0]);
  if (!isMade) expect(fast.bytes, text).toEqual(slow.bytes);
  else {
    expect(fast.bytes.length, text).toBe(slow.bytes.length);
    const { _key: a, ...fastRest } = fast.document(0);
    const { _key: b, ...slowRest } = slow.document(0);
    expect([typeof a, typeof b]).toEqual(['string', 'string']);
    expect(JSON.stringify(fastRest), text).toBe(JSON.stringify(slowRest));
  }
  expect([...fast.fields], text).toEqual([...slow.fields]);
  const [, , keyStart, keyEnd] = fast.fieldsOf(0);
  expect(decodeText(fast.bytes, keyStart, keyEnd - keyStart)).toBe(fast.document(0)['_key']);
  findAttributes(fast.bytes, 0, (name, at) => {
    const slot = fast.wanted.get(name);
    if (slot !== undefined) expect(fast.fields[4 + slot], `${name} of ${text}`).toBe(at);
  });
}

/** Mostly of one shape, as rows of a load are. */
function randomDocument(prng: Prng): ValueObject {
  const out = makeObject();
  const put = (name: string): void => {
    out[name] = prng.chance(0.7) ? prng.pick(plainValues) : randomValue(prng, 2);
  };
  if (prng.chance(0.5)) out['_key'] = randomKey(prng);
  for (const name of ['a', 'b', 'c']) if (prng.chance(0.9)) put(name);
  if (prng.chance(0.2)) out['_rev'] = prng.pick(plainValues);
  if (prng.chance(0.3)) out['_key'] = randomKey(prng);
  const more = prng.chance(0.2) ? prng.between(10, 20) : prng.below(3);
  for (let i = 0; i < more; i++) put(prng.chance(0.9) ? `n${i}` : randomText(prng).slice(0, 80));
  return out;
}

const plainValues: readonly Value[] = [1, -7, 300, 12.25, 'text', 'größer', '', true, null, 1e-7];

function randomKey(prng: Prng): Value {
  if (prng.chance(0.05)) return prng.pick(plainValues);
  if (prng.chance(0.1)) return 'ü'.repeat(prng.between(1, 140));
  return `k${'x'.repeat(prng.pick([0, 1, 20, 29, 30, 31, 32, 252, 253]))}`;
}

function textOf(prng: Prng, value: Value): string {
  const space = (): string => (prng.chance(0.1) ? prng.pick([' ', '\t', '  ']) : '');
  if (typeof value === 'string') return stringOf(prng, value);
  if (typeof value === 'number' && Object.is(value, -0)) return '-0';
  if (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    prng.chance(0.1) &&
    Math.abs(value) < 1e6
  )
    return `${value}.0`;
  if (Array.isArray(value))
    return `[${space()}${(value as readonly Value[]).map((each) => textOf(prng, each)).join(`${space()},${space()}`)}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const attributes = Object.keys(value).map(
    (name) => `${space()}${stringOf(prng, name)}${space()}:${textOf(prng, value[name]!)}`,
  );
  return `${space()}{${attributes.join(`${space()},`)}${space()}}${space()}`;
}

/** Some characters as escapes, where that is allowed. */
function stringOf(prng: Prng, text: string): string {
  if (text.length > 300 || prng.chance(0.8)) return JSON.stringify(text);
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
}

function damaged(prng: Prng, text: string): string {
  if (prng.chance(0.8) || text.length > 2000) return text;
  const at = prng.below(text.length);
  const put = prng.pick([
    '',
    '"',
    ',',
    ':',
    '{',
    '}',
    '[',
    ']',
    '0',
    'e',
    '\\',
    '.',
    '-',
    ' ',
    'ä',
  ]);
  return text.slice(0, at) + put + text.slice(at + prng.below(2));
}
