import { compareValues, isThemisError, Prng, utf8Encode, type Value } from '@themisdb/base';
import { expect, test } from 'vitest';
import { JsonParser, parseJson, stringifyJson } from './json.ts';

const names = [
  'a',
  'b',
  'name',
  '_key',
  '__proto__',
  'constructor',
  'ä',
  '',
  'x"y',
  'back\\slash',
  '0',
];
const characters = [
  'a',
  'Z',
  ' ',
  '"',
  '\\',
  '/',
  '\n',
  '\u0001',
  '\u007f',
  'ß',
  '€',
  '😀',
  '\u2028',
];
const numbers = [0, 1, -1, 0.1, -1.5e-7, 1e21, 2 ** 53, -(2 ** 53), 5e-324, 1.7976931348623157e308];

function randomString(prng: Prng): string {
  return Array.from({ length: prng.below(12) }, () => prng.pick(characters)).join('');
}

function randomValue(prng: Prng, depth: number): Value {
  switch (prng.below(depth > 4 ? 5 : 8)) {
    case 0:
      return null;
    case 1:
      return prng.chance(0.5);
    case 2:
      return prng.pick(numbers);
    case 3:
      return prng.between(-1_000_000, 1_000_000);
    case 4:
      return randomString(prng);
    case 5:
      return Array.from({ length: prng.below(5) }, () => randomValue(prng, depth + 1));
    default: {
      const out = Object.create(null) as Record<string, Value>;
      for (let i = prng.below(6); i > 0; i--) {
        out[prng.chance(0.8) ? prng.pick(names) : randomString(prng)] = randomValue(
          prng,
          depth + 1,
        );
      }
      return out;
    }
  }
}

for (const seed of [1, 2, 3]) {
  test(`what is written reads back, with one parser for all, seed ${seed}`, () => {
    const prng = new Prng(seed);
    const parser = new JsonParser();
    for (let round = 0; round < 2000; round++) {
      const value = randomValue(prng, 0);
      const text = JSON.stringify(value, null, prng.pick([undefined, 1, '\t']));
      const back = parser.parse(text, 0, text.length);
      expect(compareValues(back, value)).toBe(0);
      expect(stringifyJson(back)).toBe(JSON.stringify(value));
      expect(stringifyJson(parseJson(utf8Encode(text)))).toBe(JSON.stringify(value));
    }
  });

  test(`damaged text is accepted only where JSON.parse accepts it, seed ${seed}`, () => {
    const prng = new Prng(seed);
    const junk = [...'{}[]",:0123456789.eE+-truefalsn \n\\u'];
    let accepted = 0;
    for (let round = 0; round < 8000; round++) {
      const text = damage(prng, JSON.stringify(randomValue(prng, 2)), junk);
      const ours = attempt(() => parseJson(text));
      const theirs = attempt(() => JSON.parse(text) as Value);
      if (ours.ok) {
        accepted++;
        expect(theirs.ok, text).toBe(true);
        expect(JSON.stringify(ours.value)).toBe(JSON.stringify(theirs.value));
      } else {
        expect(isThemisError(ours.error), text).toBe(true);
        // Where JSON.parse is content, ours must have one of the reasons it has and JSON.parse lacks.
        const code = (ours.error as { code: string }).code;
        if (theirs.ok) expect(code, text).toMatch(/DUPLICATE|NUMBER|UTF8|LIMIT/);
      }
    }
    expect(accepted).toBeGreaterThan(100);
  });
}

function damage(prng: Prng, text: string, junk: readonly string[]): string {
  let out = text;
  for (let i = prng.below(3); i >= 0; i--) {
    const at = prng.below(out.length + 1);
    const cut = prng.below(3);
    out = out.slice(0, at) + (prng.chance(0.6) ? prng.pick(junk) : '') + out.slice(at + cut);
  }
  return out;
}

function attempt(run: () => Value): { ok: boolean; value?: Value; error?: unknown } {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    return { ok: false, error };
  }
}
