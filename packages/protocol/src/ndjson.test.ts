import { concatBytes, Prng, utf8Decode, utf8Encode } from '@themisdb/base';
import { expect, test } from 'vitest';
import { NdjsonReader, type NdjsonLine } from './ndjson.ts';

function readAll(bytes: Uint8Array, cuts: readonly number[], lineBytesMax = 1 << 20): NdjsonLine[] {
  const reader = new NdjsonReader({ lineBytesMax });
  const out: NdjsonLine[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    out.push(...reader.push(bytes.subarray(from, cut)));
    from = cut;
  }
  return [...out, ...reader.finish()];
}

const plain = (lines: readonly NdjsonLine[]): unknown[] =>
  lines.map((line) =>
    'value' in line
      ? [line.line, JSON.stringify(line.value)]
      : [line.line, (line.error as { code: string }).code],
  );

test('lines however they are cut, blank ones counted, bad ones reported and skipped', () => {
  const text =
    '{"a":1}\n\n  \r\n{"ä":"😀"}\r\n{"a":\n[1\n2]\n{"b":1}{"c":2}\n"\\ud800"\n{"a":1,"a":2}\n7';
  const bytes = utf8Encode(text);
  const expected = [
    [1, '{"a":1}'],
    [4, '{"ä":"😀"}'],
    [5, 'BAD_JSON'],
    [6, 'BAD_JSON'],
    [7, 'BAD_JSON'],
    [8, 'BAD_JSON'],
    [9, 'BAD_UTF8'],
    [10, 'DUPLICATE_ATTRIBUTE'],
    [11, '7'],
  ];
  expect(plain(readAll(bytes, []))).toEqual(expected);
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(plain(readAll(bytes, [cut])), `cut at ${cut}`).toEqual(expected);
  }
  const prng = new Prng(7);
  for (let round = 0; round < 200; round++) {
    const cuts = Array.from({ length: 6 }, () => prng.below(bytes.length + 1)).sort(
      (a, b) => a - b,
    );
    expect(plain(readAll(bytes, cuts)), `cuts ${cuts.join()}`).toEqual(expected);
  }
});

test('only the line with the bad byte fails', () => {
  const bytes = concatBytes(utf8Encode('1\n"'), Uint8Array.of(0xff), utf8Encode('"\n2\n'));
  expect(plain(readAll(bytes, []))).toEqual([
    [1, '1'],
    [2, 'BAD_UTF8'],
    [3, '2'],
  ]);
});

test('positions count within the line', () => {
  const [, second] = readAll(utf8Encode('{}\n{"a":x}\n'), []);
  expect(second).toMatchObject({ error: { position: { line: 1, column: 6, offset: 5 } } });
});

test('an endless line stops the reading', () => {
  const reader = new NdjsonReader({ lineBytesMax: 10 });
  expect(reader.push(utf8Encode('1\n12345678901'))).toEqual([{ line: 1, value: 1 }]);
  expect(() => reader.push(utf8Encode('2'))).toThrow(/line 2 is longer than 10 bytes/);
  expect(() => reader.finish()).toThrow(/line 2 is longer than 10 bytes/);
});

test('a sink may take lines before they are parsed; order and numbers stay', () => {
  const bytes = utf8Encode('{"a":1}\n\n{"take":2}\r\n{"b":\n{"take":3}\n{"c":4}');
  for (let cut = 0; cut <= bytes.length; cut++) {
    const seen: string[] = [];
    const sink = {
      take(line: number, from: Uint8Array, start: number, end: number): boolean {
        const text = utf8Decode(from.subarray(start, end));
        if (text.includes('take')) seen.push(`${line} took ${text.trimEnd()}`);
        return text.includes('take');
      },
      add: (line: NdjsonLine) =>
        void seen.push(`${line.line} ${'value' in line ? 'value' : 'error'}`),
    };
    const reader = new NdjsonReader({ lineBytesMax: 100 });
    reader.pushTo(sink, bytes.subarray(0, cut));
    reader.pushTo(sink, bytes.subarray(cut));
    reader.finishTo(sink);
    expect(seen).toEqual([
      '1 value',
      '3 took {"take":2}',
      '4 error',
      '5 took {"take":3}',
      '6 value',
    ]);
  }
});
