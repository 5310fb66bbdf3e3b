import { createHash } from 'node:crypto';
import { Prng, utf8Encode } from '@themisdb/base';
import { expect, test } from 'vitest';
import { both, bothWays, evaluate, type Cases } from '../expression/testing.ts';
import { toBase64 } from './encoding.ts';
import { md5 } from './hash/md5.ts';
import { sha256, sha512 } from './hash/sha2.ts';

const T = 'AQL_INVALID_ARGUMENT_TYPE';
const cases: Cases = [
  ['CRC32("foobar")', 'D5F5C7F'],
  ['FNV64("foobar")', '85944171F73967E8'],
  ['MD5("foobar")', '3858f62230ac3c915f300c664312c63f'],
  ['SHA1("foobar")', '8843d7f92416211de9ebb963ff4ce28125932878'],
  ['SHA256("foobar")', 'c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2'],
  ['LENGTH(SHA512(""))', 128],
  ['TO_BASE64("ABC.")', 'QUJDLg=='],
  ['TO_BASE64("123456")', 'MTIzNDU2'],
  ['TO_HEX("ABC.")', '4142432e'],
  ['TO_HEX("ü")', 'c3bc'],
  ['ENCODE_URI_COMPONENT("fünf %")', 'f%C3%BCnf%20%25'],
  ['JSON_STRINGIFY(true)', 'true'],
  ['JSON_STRINGIFY("abc")', '"abc"'],
  ['JSON_STRINGIFY([1, {"2": .5}])', '[1,{"2":0.5}]'],
  ['JSON_PARSE("123")', 123],
  ['JSON_PARSE("[ true, false, null, -0.5 ]")', [true, false, null, -0.5]],
  ['JSON_PARSE("{\\"a\\": 1}")', { a: 1 }],
  ['JSON_PARSE("\\"abc\\"")', 'abc'],
  ['JSON_PARSE("abc")', null, T],
  ['JSON_PARSE(1)', null, T],
  ['HASH({a: 1, b: [2]}) == HASH({b: [2], a: 1})', true],
  ['HASH(1) == HASH("1")', false],
  ['HASH([1, 2]) == HASH([2, 1])', false],
];

test.each(cases)('%s', (text, value, warning) => {
  expect(bothWays(text)).toEqual(both(value, warning));
});

test('the hashes equal those of the platform for lengths around block borders', () => {
  const prng = new Prng(7);
  const platform = (name: string, data: Uint8Array): string =>
    createHash(name).update(data).digest('hex');
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  for (let length = 0; length < 300; length++) {
    const data = prng.bytes(length);
    expect(hex(md5(data))).toBe(platform('md5', data));
    expect(hex(sha256(data))).toBe(platform('sha256', data));
    expect(hex(sha512(data))).toBe(platform('sha512', data));
    expect(toBase64(data)).toBe(Buffer.from(data).toString('base64'));
  }
  expect(hex(sha512(utf8Encode('abc')))).toMatch(/^ddaf35a193617aba/);
});

test('random tokens and UUIDs have their form', () => {
  expect(evaluate('RANDOM_TOKEN(40)').value).toMatch(/^[A-Za-z0-9]{40}$/);
  expect(evaluate('RANDOM_TOKEN(0)').value).toBe('');
  expect(() => evaluate('RANDOM_TOKEN(65537)')).toThrow(
    expect.objectContaining({ code: 'AQL_INVALID_ARGUMENT' }),
  );
  expect(evaluate('UUID()').value).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});
