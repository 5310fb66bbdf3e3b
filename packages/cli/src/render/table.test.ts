import { expect, test } from 'vitest';
import { displayWidth, renderTable } from './table.ts';

const wide = { width: 100 };

test('aligns numbers right and text left, in order of first appearance', () => {
  const rows = [
    { name: 'Ada', age: 36 },
    { name: 'Grace', age: 105, rank: null },
  ];
  expect(renderTable(rows, wide)).toBe(
    ['name  │ age │ rank', '──────┼─────┼─────', 'Ada   │  36 │', 'Grace │ 105 │ null'].join('\n'),
  );
});

test('values that are no objects get a column of their own', () => {
  expect(renderTable([1, 20], wide)).toBe(['value', '─────', '    1', '   20'].join('\n'));
  expect(renderTable([], wide)).toBe('(no rows)');
});

test('cuts what does not fit and says how much is left out', () => {
  const text = renderTable(
    [
      { a: 'x'.repeat(50), b: 1 },
      { a: 'y', b: 2 },
    ],
    { width: 20, rowsMax: 1 },
  );
  expect(Math.max(...text.split('\n').slice(0, 3).map(displayWidth))).toBeLessThanOrEqual(20);
  expect(text).toContain('…');
  expect(text).toContain('1 more rows');
});

test('data cannot steer the terminal', () => {
  expect(renderTable(['\u001b[31mred\u0007\nnext'], wide)).not.toMatch(/[\u001b\u0007]/);
});

test('wide characters take two columns', () => {
  expect(displayWidth('日本')).toBe(4);
  expect(displayWidth('e\u0301')).toBe(1);
});
