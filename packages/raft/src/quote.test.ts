import { utf8Encode } from '@themisdb/base';
import { expect, test } from 'vitest';
import { quoteBytes } from './quote.ts';

// Pairs taken from Go's %q.
test.each([
  [utf8Encode(''), '""'],
  [utf8Encode('a"b\\'), String.raw`"a\"b\\"`],
  [Uint8Array.from([0, 0xff, 0xc3, 0x7f, 10, 9]), String.raw`"\x00\xff\xc3\x7f\n\t"`],
  [utf8Encode('é日本 😀'), '"é日本 😀"'],
  [utf8Encode('\u200b\u00a0'), String.raw`"\u200b\u00a0"`],
  [utf8Encode('\ufffd'), '"\ufffd"'],
  [Uint8Array.from([0xe6, 0x97]), String.raw`"\xe6\x97"`],
])('bytes %# are quoted', (bytes, text) => {
  expect(quoteBytes(bytes)).toBe(text);
});
