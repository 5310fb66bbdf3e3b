import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { readStructuredFile } from './structured-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'themis-structured-'));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
function file(text: string | Uint8Array, extension = 'yaml'): string {
  const path = join(folder, `${++count}.${extension}`);
  writeFileSync(path, text);
  return path;
}

const peers = `# Who else there is.
peers:
  - id: node-1
    address: "10.0.0.1:9090"   # the port of the shard protocol
    weight: 0.5
  - { id: node-2, address: '10.0.0.2:9090', voter: false, zone: ~ }
note: |
  two
  lines
octal: 0o17
date: 2026-01-01
yes: no
`;

test('YAML is read as values of the JSON kind', () => {
  const { value } = readStructuredFile(file(peers));
  expect(value).toEqual({
    peers: [
      { id: 'node-1', address: '10.0.0.1:9090', weight: 0.5 },
      { id: 'node-2', address: '10.0.0.2:9090', voter: false, zone: null },
    ],
    note: 'two\nlines\n',
    octal: 15,
    date: '2026-01-01',
    yes: 'no',
  });
});

test('and says where each of them stands, in JSON as well', () => {
  const { place } = readStructuredFile(file(peers));
  expect(place([])).toBe('line 2, column 1');
  expect(place(['peers'])).toBe('line 2, column 1');
  expect(place(['peers', 0])).toBe('line 3, column 5');
  expect(place(['peers', 0, 'address'])).toBe('line 4, column 5');
  expect(place(['peers', 1, 'voter'])).toBe('line 6, column 45');
  const json = readStructuredFile(file('{\n  "a": { "b": [1, 2] }\n}', 'json'));
  expect(json.place(['a', 'b', 1])).toBe('line 2, column 19');
});

test('__proto__ is a name like any other', () => {
  const { value } = readStructuredFile(file('__proto__: { x: 1 }'));
  expect(Object.keys(value)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

const laughs = Array.from(
  { length: 9 },
  (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
);

describe('refused', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['a name twice', 'port: 1\ndata: x\nport: 2', 'line 3, column 1: Map keys must be unique'],
    ['a name twice in a flow', 'limits: { depthMax: 1, depthMax: 2 }', 'line 1, column 24'],
    ['an alias', 'a: 1\nb: *x', 'line 2, column 4: aliases (*name) are not taken'],
    ['an anchor', 'a: 1\nb: &x 1', 'line 2, column 7: anchors (&name) are not taken'],
    ['a bomb of aliases', ['l0: &l0 "lol"', ...laughs].join('\n'), 'line 1, column 9: anchors'],
    ['a tag of nobody', 'a: !exec "rm -rf"', 'line 1, column 4: Unresolved tag: !exec'],
    ['a tag of YAML', 'a: !!str 5', 'column 10: tags (tag:yaml.org,2002:str) are not taken'],
    ['binary', 'a: !!binary aGk=', 'Unresolved tag: tag:yaml.org,2002:binary'],
    ['another version', '%YAML 1.1\n---\na: yes', 'directives'],
    ['a prefix of tags', '%TAG ! tag:example.org,2026:\n---\na: 1', 'directives'],
    ['two documents', 'a: 1\n---\nb: 2', 'multiple documents'],
    ['a list as a name', '? [a]\n: 1', 'line 1, column 3: With stringKeys, all keys'],
    ['a tab', 'a:\n\tb: 1', 'line 2, column 1: Tabs are not allowed'],
    ['an open quote', 'a: "x', 'line 1, column 6: Missing closing'],
    ['an open list', 'a: [1, 2', 'line 1, column 9'],
    ['odd indentation', 'a:\n  b: 1\n c: 2', 'line 3, column 1: All mapping items'],
    ['a rounded number', 'a: 9007199254740993', 'line 1, column 4: the number would be rounded'],
    ['infinity', 'a: .inf', 'line 1, column 4: infinity'],
    ['a lone surrogate', 'a: "\\ud800"', 'line 1, column 4: the text holds a lone surrogate'],
    ['invalid UTF-8', Uint8Array.from([0x61, 0x3a, 0x20, 0xff]), 'not well-formed UTF-8 at byte 3'],
    ['nothing', '', 'it must hold an object'],
    ['a list', '- 1', 'it must hold an object'],
    ['a text', 'port 8080', 'it must hold an object'],
    ['10^5 lists', '['.repeat(100_000), 'nested more than 32 deep'],
    ['10^5 lists in block style', '- '.repeat(100_000), 'nested more than 32 deep'],
    ['10^5 names', '? '.repeat(100_000), 'nested more than 32 deep'],
    ['too much', '#'.repeat(256 * 1024 + 1), 'larger than 262144 bytes'],
  ])('%s', (_, text, message) => {
    const path = file(text);
    expect(() => readStructuredFile(path)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(message),
        details: { source: `file ${path}` },
      }),
    );
  });

  test('a file that is not there', () => {
    expect(() => readStructuredFile(join(folder, 'none.yaml'))).toThrow(
      /cannot be read \(ENOENT\)/,
    );
    expect(() => readStructuredFile(folder)).toThrow(/cannot be read \(EISDIR\)/);
  });
});

describe('settings of the server', () => {
  test('from YAML, nested or dotted', () => {
    const path = file(
      'port: 9090\nhosts: [a.example, b.example]\nlimits:\n  bodyBytesMax: 64MiB\n  cursorIdleMs: 5s\nquery.rowsMax: 7\n',
      'yml',
    );
    const { config, sources } = loadConfig({ file: path });
    expect(config).toMatchObject({ port: 9090, hosts: ['a.example', 'b.example'] });
    expect(config.limits).toMatchObject({ bodyBytesMax: 64 << 20, cursorIdleMs: 5000 });
    expect(config.query.rowsMax).toBe(7);
    expect(sources.port).toBe(`file ${path}`);
  });

  test.each([
    [
      'limits:\n  depthMx: 1',
      'line 2, column 3: key limits.depthMx is not a setting; did you mean limits.depthMax?',
    ],
    ['data: x\nprot: 1', 'line 2, column 1: key prot is not a setting; did you mean port?'],
    [
      'data: x\nport: 70000',
      'line 2, column 1 has the value 70000; allowed: an integer from 0 to 65535',
    ],
    ['port:', 'line 1, column 1 has the value null'],
    ['port: 1\nhost: 0.0.0.0', 'without authentication the server listens on loopback only'],
    ['limits: 5', 'line 1, column 1: key limits is not a setting'],
  ])('%j', (text, message) => {
    expect(() => loadConfig({ file: file(text) })).toThrow(message);
  });
});
