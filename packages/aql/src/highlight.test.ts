import { expect, test } from 'vitest';
import { highlight } from './index.ts';

function classes(text: string): string[] {
  return highlight(text).map((token) => `${text.slice(token.start, token.end)} ${token.class}`);
}

test('words, names, functions, attributes, literals and comments', () => {
  expect(
    classes('FOR u IN users // all\nFILTER u.limit == @x RETURN {a: LENGTH("s"), b: null}'),
  ).toEqual([
    'FOR clause',
    'u name',
    'IN operator',
    'users name',
    '// all comment',
    'FILTER clause',
    'u name',
    '. symbol',
    'limit attribute',
    '== symbol',
    '@x parameter',
    'RETURN clause',
    '{ symbol',
    'a attribute',
    ': symbol',
    'LENGTH function',
    '( symbol',
    '"s" string',
    ') symbol',
    ', symbol',
    'b attribute',
    ': symbol',
    'null literal',
    '} symbol',
  ]);
});

test('contextual words by their neighbours', () => {
  expect(classes('INSERT x INTO y OPTIONS {} RETURN NEW.options')).toContain('OPTIONS modifier');
  expect(classes('RETURN NEW.options')).toEqual([
    'RETURN clause',
    'NEW variable',
    '. symbol',
    'options attribute',
  ]);
  expect(classes('LET count = options.a')).toEqual([
    'LET clause',
    'count name',
    '= symbol',
    'options name',
    '. symbol',
    'a attribute',
  ]);
});

test('any text has tokens; what is none is marked to the end', () => {
  expect(classes('RETURN "open RETURN 1')).toEqual(['RETURN clause', '"open RETURN 1 invalid']);
  expect(classes('/* only */')).toEqual(['/* only */ comment']);
  expect(classes('')).toEqual([]);
});
