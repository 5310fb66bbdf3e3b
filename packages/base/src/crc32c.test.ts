import { expect, test } from 'vitest';
import { utf8Encode } from './bytes.ts';
import { crc32c } from './crc32c.ts';

// RFC 3720 appendix B.4, and the check value of the algorithm's catalogue entry.
test.each<[string, Uint8Array, number]>([
  ['32 zero bytes', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 rising bytes', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['"123456789"', utf8Encode('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
])('%s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test('continues over parts', () => {
  const all = Uint8Array.from({ length: 100 }, (_, i) => (i * 7) & 0xff);
  for (const cut of [0, 1, 8, 33, 100]) {
    expect(crc32c(all, cut, 100, crc32c(all, 0, cut))).toBe(crc32c(all));
  }
});
