import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { compileLike, likePrefix } from './like.ts';

const seed = 5;
const letters = ['a', 'b', 'A', '%', '_', '\\', '\u{1f600}'];

/** The same by trying every way to split the text. */
function matches(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === '%') return text.some((_, i) => matches(rest, text.slice(i))) || matches(rest, []);
  if (first === '_') return text.length > 0 && matches(rest, text.slice(1));
  const escaped = first === '\\' && ['%', '_', '\\'].includes(rest[0] ?? '');
  const wanted = escaped ? rest[0] : first;
  return text[0] === wanted && matches(escaped ? rest.slice(1) : rest, text.slice(1));
}

function randomText(prng: Prng, from: readonly string[], lengthMax: number): string {
  return Array.from({ length: prng.below(lengthMax + 1) }, () => prng.pick(from)).join('');
}

test(`LIKE matches as by brute force, seed ${String(seed)}`, () => {
  const prng = new Prng(seed);
  let matched = 0;
  for (let i = 0; i < 20_000; i++) {
    const pattern = randomText(prng, letters, 6);
    const text = randomText(prng, prng.chance(0.5) ? ['a', 'b'] : letters, 6);
    const wanted = matches([...pattern], [...text]);
    if (compileLike(pattern, false)(text) !== wanted) expect.fail(JSON.stringify([pattern, text]));
    if (!wanted) continue;
    matched++;
    const { prefix, exact } = likePrefix(pattern);
    expect(text.startsWith(prefix), pattern).toBe(true);
    if (exact) expect(text).toBe(prefix);
  }
  expect(matched).toBeGreaterThan(1_000);
});

test('case-insensitive matching folds both sides', () => {
  expect(compileLike('ÄB%', true)('äbc')).toBe(true);
  expect(compileLike('ÄB%', false)('äbc')).toBe(false);
});
