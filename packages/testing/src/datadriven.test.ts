import { expect, test } from 'vitest';
import { describeMismatch, parseScript, rewriteScript, runScript } from './datadriven.ts';

const SCRIPT = `# A comment.

greet name=(Ada, Grace) loud
one
two
----
hello
there

count n=3 \\
  from=1
----
----
1

3
----
----

quiet
----
`;

test('a script is read into commands', () => {
  const [greet, count, quiet, ...rest] = parseScript(SCRIPT, 's.txt');
  expect(rest).toEqual([]);
  expect(greet).toMatchObject({
    line: 3,
    name: 'greet',
    args: [
      { key: 'name', values: ['Ada', 'Grace'] },
      { key: 'loud', values: [] },
    ],
    input: 'one\ntwo',
    expected: 'hello\nthere\n',
  });
  expect(count).toMatchObject({
    name: 'count',
    args: [
      { key: 'n', values: ['3'] },
      { key: 'from', values: ['1'] },
    ],
    expected: '1\n\n3\n',
  });
  expect(quiet).toMatchObject({ name: 'quiet', expected: '' });
});

test('only real differences are reported, with their place', () => {
  const commands = parseScript(SCRIPT, 's.txt');
  const mismatches = runScript(commands, ({ name }) => {
    if (name === 'greet') return 'hello\nthere';
    return name === 'count' ? '1\n2\n3' : '';
  });
  expect(mismatches).toHaveLength(1);
  expect(describeMismatch(mismatches[0]!)).toBe('s.txt:10: count\n  1\n- \n+ 2\n  3\n  ');
});

test('a rewritten script expects what the commands print', () => {
  const run = ({ name }: { name: string }): string => (name === 'greet' ? 'a\n\nb' : name);
  const rewritten = rewriteScript(SCRIPT, 's.txt', run);
  expect(rewritten).toContain('# A comment.\n');
  expect(runScript(parseScript(rewritten, 's.txt'), run)).toEqual([]);
});

test('a command without a separator is refused with its place', () => {
  expect(() => parseScript('ok\n----\n\nbroken\n', 's.txt')).toThrow('s.txt:4:');
});
