import { expect, test } from 'vitest';
import { decodeNumber, decodeQuoted } from './literal.ts';

const number = (raw: string): unknown => {
  const decoded = decodeNumber(raw, 0, raw.length);
  return decoded.ok ? decoded.value : decoded.message;
};
const string = (raw: string): unknown => {
  const decoded = decodeQuoted(raw, 0, raw.length);
  return decoded.ok ? decoded.value : [decoded.offset, decoded.message];
};

test('numbers: decimal, exponent, hexadecimal, binary', () => {
  expect(number('0')).toBe(0);
  expect(number('42')).toBe(42);
  expect(number('.5')).toBe(0.5);
  expect(number('1.25e-2')).toBe(0.0125);
  expect(number('0xFF')).toBe(255);
  expect(number('0b101')).toBe(5);
  expect(number('0b102')).toMatch(/digits 0 and 1/);
});

test('integers are exact or refused; fractions round; overflow is refused', () => {
  expect(number('9007199254740992')).toBe(2 ** 53);
  expect(number('9007199254740993')).toMatch(/exactly/);
  expect(number('9007199254740994')).toBe(2 ** 53 + 2);
  expect(number('0x20000000000001')).toMatch(/exactly/);
  expect(number('0x20000000000002')).toBe(2 ** 53 + 2);
  expect(number('0xE0000000000000')).toBe(0xe0000000000000);
  expect(number('1e22')).toBe(1e22);
  expect(number('9007199254740993.0')).toBe(2 ** 53);
  expect(number('1e400')).toMatch(/larger/);
  expect(number('1e-400')).toBe(0);
  expect(number('9'.repeat(400))).toMatch(/larger/);
  expect(number('1' + '0'.repeat(5000))).toMatch(/larger/);
});

test('strings: escapes, and a backslash before any other character is dropped', () => {
  expect(string(`"a\\"b'c"`)).toBe(`a"b'c`);
  expect(string(`'a\\'b'`)).toBe("a'b");
  expect(string('"\\b\\f\\n\\r\\t\\/\\\\\\d"')).toBe('\b\f\n\r\t/\\d');
  expect(string('"\\u00e4\\ud83d\\ude00"')).toBe('ä😀');
  expect(string('"😀\n"')).toBe('😀\n');
  expect(string('""')).toBe('');
});

test('strings: bad escapes and lone surrogates are refused', () => {
  expect(string('"ab\\u12"')).toEqual([3, expect.stringContaining('four hexadecimal digits')]);
  expect(string('"\\u12')).toEqual([1, expect.stringContaining('four hexadecimal digits')]);
  expect(string('"x\\ud83d"')).toEqual([0, expect.stringContaining('surrogate')]);
  expect(string('"xy\ud83d"')).toEqual([3, expect.stringContaining('surrogate')]);
});
