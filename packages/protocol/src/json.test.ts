import { isThemisError, utf8Encode } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { JsonParser, parseJson, stringifyJson } from './json.ts';

function faultOf(input: string | Uint8Array): { code: string; at: string | undefined } {
  try {
    parseJson(input);
  } catch (error) {
    if (!isThemisError(error)) throw error;
    const p = error.position;
    return { code: error.code, at: p && `${p.line}:${p.column}+${p.offset}` };
  }
  throw new Error('no fault');
}

describe('values', () => {
  test.each([
    'null',
    ' true ',
    '[]',
    '{}',
    '[1,-2,3.5,1e3,-0.25E-2,0]',
    '{"a":{"b":[{"c":null}]},"":"x"}',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00ä😀"',
    '\t{\r\n"a" : [ 1 , 2 ] }\n',
    '9007199254740992',
    '-9007199254740991',
    '18014398509481984',
    '123456789012345.6',
    '5e-324',
    '0e-999',
  ])('%s is what JSON.parse says', (text) => {
    expect(JSON.parse(JSON.stringify(parseJson(text)))).toEqual(JSON.parse(text));
  });

  test('bytes and text give the same', () => {
    const text = '{"städte":["Köln","😀"]}';
    expect(stringifyJson(parseJson(utf8Encode(text)))).toBe(text);
  });

  test('-0 keeps its sign, and loses it when written', () => {
    expect(Object.is(parseJson('-0'), -0)).toBe(true);
    expect(Object.is(parseJson('-0.0'), -0)).toBe(true);
    expect(stringifyJson(-0)).toBe('0');
  });

  test('names of Object.prototype are ordinary', () => {
    const text = '{"__proto__":{"polluted":1},"constructor":2,"toString":3,"toJSON":4}';
    const value = parseJson(text) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString', 'toJSON']);
    expect(stringifyJson(value as never)).toBe(text);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('faults', () => {
  test.each([
    ['', 'BAD_JSON', '1:1+0'],
    ['  \n', 'BAD_JSON', '2:1+3'],
    ['{', 'BAD_JSON', '1:2+1'],
    ['{"a"', 'BAD_JSON', '1:5+4'],
    ['{"a":}', 'BAD_JSON', '1:6+5'],
    ['{"a":1,}', 'BAD_JSON', '1:8+7'],
    ["{'a':1}", 'BAD_JSON', '1:2+1'],
    ['{a:1}', 'BAD_JSON', '1:2+1'],
    ['[1,]', 'BAD_JSON', '1:4+3'],
    ['[1 2]', 'BAD_JSON', '1:4+3'],
    ['[1', 'BAD_JSON', '1:3+2'],
    ['1 2', 'BAD_JSON', '1:3+2'],
    ['tru', 'BAD_JSON', '1:1+0'],
    ['nulll', 'BAD_JSON', '1:5+4'],
    ['NaN', 'BAD_JSON', '1:1+0'],
    ['Infinity', 'BAD_JSON', '1:1+0'],
    ['+1', 'BAD_JSON', '1:1+0'],
    ['-', 'BAD_JSON', '1:2+1'],
    ['-a', 'BAD_JSON', '1:2+1'],
    ['.5', 'BAD_JSON', '1:1+0'],
    ['5.', 'BAD_JSON', '1:3+2'],
    ['1e', 'BAD_JSON', '1:3+2'],
    ['1e+', 'BAD_JSON', '1:4+3'],
    ['0x1', 'BAD_JSON', '1:2+1'],
    ['"a', 'BAD_JSON', '1:3+2'],
    ['"\\', 'BAD_JSON', '1:2+1'],
    ['"\\x"', 'BAD_JSON', '1:2+1'],
    ['"\\u12"', 'BAD_JSON', '1:6+5'],
    ['"a\nb"', 'BAD_JSON', '1:3+2'],
    ['"\\n\u0000"', 'BAD_JSON', '1:4+3'],
    ['// c', 'BAD_JSON', '1:1+0'],
    ['\ufeff1', 'BAD_JSON', '1:1+0'],
    ['{\n "a": 1,\n "a": 2}', 'DUPLICATE_ATTRIBUTE', '3:2+12'],
    ['{"b":1,"\\u0062":2}', 'DUPLICATE_ATTRIBUTE', '1:8+7'],
    ['{"__proto__":1,"__proto__":2}', 'DUPLICATE_ATTRIBUTE', '1:16+15'],
    ['1e400', 'NUMBER_OUT_OF_RANGE', '1:1+0'],
    ['[0, -1e400]', 'NUMBER_OUT_OF_RANGE', '1:5+4'],
    ['1e-400', 'NUMBER_OUT_OF_RANGE', '1:1+0'],
    [`1${'0'.repeat(400)}`, 'NUMBER_OUT_OF_RANGE', '1:1+0'],
    ['9007199254740993', 'NUMBER_OUT_OF_RANGE', '1:1+0'],
    ['-9007199254740993', 'NUMBER_OUT_OF_RANGE', '1:1+0'],
    ['"\\ud800"', 'BAD_UTF8', '1:2+1'],
    ['"\\udc00"', 'BAD_UTF8', '1:2+1'],
    ['"\\ud83dx"', 'BAD_UTF8', '1:2+1'],
    ['"\\ud83d\\ud83d"', 'BAD_UTF8', '1:2+1'],
    ['"\ud800"', 'BAD_UTF8', '1:2+1'],
    ['["a",\n"\udc00x"]', 'BAD_UTF8', '2:2+7'],
  ])('%j is %s at %s', (text, code, at) => {
    expect(faultOf(text)).toEqual({ code, at });
  });

  test('leading zeros', () => {
    expect(faultOf('01').code).toBe('BAD_JSON');
    expect(faultOf('-01').code).toBe('BAD_JSON');
    expect(faultOf('00').code).toBe('BAD_JSON');
  });

  test('a duplicate is found when the names are known from an earlier document', () => {
    const parser = new JsonParser();
    const parse = (text: string): unknown => parser.parse(text, 0, text.length);
    parse('{"a":1,"b":2,"c":3}');
    parse('{"b":1,"a":2}');
    expect(() => parse('{"a":1,"b":2,"a":3}')).toThrow(/same attribute twice/);
    expect(() => parse('{"a":1,"b":2,"c":3,"b":3}')).toThrow(/same attribute twice/);
    expect(JSON.stringify(parse('{"a":1,"b":2,"c":3}'))).toBe('{"a":1,"b":2,"c":3}');
  });

  test.each([
    [[0x22, 0xff, 0x22], 1],
    [[0x22, 0xc0, 0x80, 0x22], 1],
    [[0x22, 0xc3, 0x22], 1],
    [[0x22, 0xe0, 0x9f, 0x80, 0x22], 1],
    [[0x22, 0x61, 0xed, 0xa0, 0x80, 0x22], 2],
    [[0x22, 0xf0, 0x8f, 0xbf, 0xbf, 0x22], 1],
    [[0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1],
    [[0x22, 0xf5, 0x80, 0x80, 0x80, 0x22], 1],
    [[0x22, 0xc3, 0xa4, 0xe2, 0x82], 3],
  ])('bytes %j are refused at %i', (bytes, offset) => {
    let caught: unknown;
    try {
      parseJson(Uint8Array.from(bytes));
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'BAD_UTF8', details: { offset } });
  });

  test('the message tells the place, not the data', () => {
    expect(() => parseJson('{"password":"hunter2" "x"}')).toThrow(
      'JSON at line 1, column 23: an object goes on with "," or ends with "}"',
    );
  });
});

describe('limits', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  test('depth', () => {
    expect(() => parseJson(nested(128))).not.toThrow();
    expect(faultOf(nested(129)).code).toBe('LIMIT_EXCEEDED');
    expect(() => parseJson(nested(3), { depthMax: 2 })).toThrow(/nested 2 deep/);
  });

  test('10^5 levels neither parse nor exhaust the stack', () => {
    expect(faultOf('['.repeat(100_000)).code).toBe('LIMIT_EXCEEDED');
    expect(faultOf('{"a":'.repeat(100_000)).code).toBe('LIMIT_EXCEEDED');
  });

  test('attributes of one object', () => {
    const wide = (count: number): string =>
      `{${Array.from({ length: count }, (_, i) => `"a${i}":${i}`).join(',')}}`;
    expect(Object.keys(parseJson(wide(10_000)) as object)).toHaveLength(10_000);
    expect(faultOf(wide(10_001)).code).toBe('LIMIT_EXCEEDED');
    expect(() => parseJson(`[${wide(3)},${wide(3)}]`, { attributesMax: 3 })).not.toThrow();
  });
});
