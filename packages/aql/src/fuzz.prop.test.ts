import { readFileSync } from 'node:fs';
import { isThemisError, Prng } from '@themisdb/base';
import { parseScript } from '@themisdb/testing';
import { expect, test } from 'vitest';
import { parse, print, reservedWords, contextualWords, type Query } from './index.ts';

/**
 * Strategy: queries of the scripts, mutated by dropping, doubling, swapping and splicing pieces, and
 * noise. Invariants: nothing but ThemisError comes out, with a position inside the text; what
 * parses prints to a text that parses to the same tree.
 */
const corpus = ['clauses.txt', 'graph.txt', 'modifications.txt', 'expressions.txt'].flatMap(
  (file) => {
    const text = readFileSync(new URL(`../testdata/${file}`, import.meta.url), 'utf8');
    return parseScript(text, file).map(({ name, input }) =>
      name === 'query' ? input : `RETURN ${input}`,
    );
  },
);

const codes = ['AQL_PARSE', 'AQL_EMPTY', 'AQL_TOO_DEEP', 'AQL_NUMBER_OUT_OF_RANGE'];
const symbols = [...'.,:;?!()[]{}=<>&|+-*/%@"\'`´$_#\\ \n0', '..', '::', '[*', '[?', '//', '/*'];
const pieces = [...symbols, ...reservedWords, ...contextualWords, 'x', '1', '@@c', '\ud800', '\0'];

function tryParse(text: string): Query | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (!isThemisError(error) || !codes.includes(error.code)) {
      throw new Error(`unexpected failure on ${JSON.stringify(text)}`, { cause: error });
    }
    const offset = error.position?.offset ?? -1;
    expect(offset >= 0 && offset <= text.length, text).toBe(true);
    return undefined;
  }
}

const shape = (node: unknown): string =>
  JSON.stringify(node, (key, value: unknown) => (key === 'span' ? undefined : value));

function checkOne(text: string): boolean {
  const query = tryParse(text);
  if (query === undefined) return false;
  const printed = print(query);
  const again = tryParse(printed);
  expect(again && shape(again), `${JSON.stringify(text)} printed as ${printed}`).toBe(shape(query));
  return true;
}

function tokensOf(text: string): string[] {
  return text.match(/\w+|\s+|"[^"]*"|./gs) ?? [];
}

function mutate(random: Prng, text: string): string {
  const tokens = tokensOf(text);
  const at = random.below(tokens.length + 1);
  const length = random.between(1, 4);
  switch (random.below(6)) {
    case 0:
      tokens.splice(at, length);
      break;
    case 1:
      tokens.splice(at, 0, ' ', random.pick(pieces), ' ');
      break;
    case 2:
      tokens.splice(at, 0, ...tokens.slice(at, at + length));
      break;
    case 3:
      tokens.splice(at, length, random.pick(pieces));
      break;
    case 4: {
      const other = tokensOf(random.pick(corpus));
      const from = random.below(other.length + 1);
      tokens.splice(at, 0, ...other.slice(from, from + random.between(1, 12)));
      break;
    }
    default: {
      const to = random.below(tokens.length + 1);
      [tokens[at], tokens[to]] = [tokens[to] ?? '', tokens[at] ?? ''];
    }
  }
  return tokens.join('');
}

const seed = 4242;
test(`mutated queries, seed ${seed}`, () => {
  const random = new Prng(seed);
  let accepted = 0;
  for (let round = 0; round < 6000; round++) {
    let text = random.pick(corpus);
    for (let n = random.between(1, 4); n > 0; n--) text = mutate(random, text);
    if (checkOne(text)) accepted++;
  }
  // Enough stay valid to make the second invariant mean something.
  expect(accepted).toBeGreaterThan(300);
});

test(`noise, seed ${seed}`, () => {
  const random = new Prng(seed + 1);
  for (let round = 0; round < 3000; round++) {
    const words = Array.from({ length: random.below(40) }, () => random.pick(pieces));
    checkOne(words.join(random.chance(0.8) ? ' ' : ''));
    const units = Array.from({ length: random.below(60) }, () => random.below(0x250));
    checkOne(String.fromCharCode(...units));
    checkOne(random.pick(corpus).slice(0, random.below(80)));
  }
});

test('every query of the scripts prints and parses to itself', () => {
  for (const text of corpus) expect(checkOne(text), text).toBe(true);
});
