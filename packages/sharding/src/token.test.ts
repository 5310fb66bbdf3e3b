import { expect, test } from 'vitest';
import { loadTokenHash, tokenOfBytes } from './token.ts';

// Vectors shared by every SDK.
test.each([
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
  ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
  ['550e8400-e29b-41d4-a716-446655440000', '567c8cb3ce99ae3f'],
])('xxh64(%j) is %s', async (text, hex) => {
  const hash = await loadTokenHash();
  expect(hash(text).toString(16)).toBe(hex);
  expect(tokenOfBytes(new TextEncoder().encode(text)).toString(16)).toBe(hex);
});
