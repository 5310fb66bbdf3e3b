import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from '@themisdb/aql';
import { files, read } from './workspace.ts';

const pages = files('docs', (name) => name.endsWith('.md'));

function blocksOf(page: string, language: string): string[] {
  const pattern = new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, 'gm');
  return [...read(page).matchAll(pattern)].map((match) => match[1]!.trim());
}

/** The anchors of a page: those written as HTML, and those its headings get. */
function anchorsOf(page: string): Set<string> {
  const text = read(page);
  const written = [...text.matchAll(/<a id="([^"]+)"/g)].map((match) => match[1]!);
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...written, ...headings]);
}

test('AQL in the documentation is AQL', () => {
  const queries = pages.flatMap((page) => blocksOf(page, 'aql'));
  expect(queries.length).toBeGreaterThan(8);
  for (const query of queries) {
    const text = query.startsWith('.explain ') ? query.slice('.explain '.length) : query;
    expect(() => parse(text), text).not.toThrow();
  }
});

test('JSON in the documentation is JSON', () => {
  const texts = pages.flatMap((page) => blocksOf(page, 'json'));
  expect(texts.length).toBeGreaterThan(5);
  for (const text of texts) {
    const values = text.startsWith('{\n') ? [text] : text.split('\n');
    for (const value of values) expect(() => JSON.parse(value) as unknown, value).not.toThrow();
  }
});

test('links into a page lead to a place in it', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*\.md)?#([^)\s]+)\)/g)]
      .map(([, target, anchor]) => ({
        target: target === undefined ? page : normalize(join(dirname(page), target)),
        anchor: anchor!,
      }))
      .filter(({ target, anchor }) => !anchorsOf(target).has(anchor))
      .map(({ target, anchor }) => `${page}: ${target}#${anchor}`),
  );
  expect(broken).toEqual([]);
});

test('the index of the documentation leads to every page', () => {
  const index = read('docs/README.md');
  const lost = pages
    .map((page) => page.replace('docs/', ''))
    .filter((page) => page !== 'README.md' && !index.includes(`(${page})`));
  expect(lost).toEqual([]);
});
