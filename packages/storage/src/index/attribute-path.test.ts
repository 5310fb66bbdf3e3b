import { expect, test } from 'vitest';
import { parseAttributePath } from './attribute-path.ts';

test.each([
  ['a', { steps: ['a'] }],
  ['name.last', { steps: ['name', 'last'] }],
  ['tags[*]', { steps: ['tags'], expandAfter: 1 }],
  ['items[*].sku', { steps: ['items', 'sku'], expandAfter: 1 }],
  ['a.b[*].c.d', { steps: ['a', 'b', 'c', 'd'], expandAfter: 2 }],
])('%s', (text, path) => {
  expect(parseAttributePath(text)).toEqual(path);
});

test.each(['', '.', 'a.', '.a', 'a..b', '[*]', 'a[0]', 'a[*][*]', 'a[*].b[*]', 'a]'])(
  '%j is refused',
  (text) => {
    expect(() => parseAttributePath(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_INDEX' }),
    );
  },
);
