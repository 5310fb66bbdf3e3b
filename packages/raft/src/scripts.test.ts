import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { invariants } from '@themisdb/base';
import { describeMismatch, parseScript, rewriteScript, runScript } from '@themisdb/testing';
import { Interaction, runInteraction } from '@themisdb/testing/raft';
import { beforeAll, expect, test } from 'vitest';

/**
 * Scripts of our own, beside the library's that gate G1 runs. `THEMIS_REWRITE=1` writes what the
 * commands print into the scripts; read the difference before you commit it.
 */
const FOLDER = new URL('./testdata/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

beforeAll(() => {
  invariants.enabled = true;
});

test('there are scripts', () => {
  expect(FILES.length).toBeGreaterThan(0);
});

test.each(FILES)('%s', (name) => {
  const path = new URL(name, FOLDER);
  const text = readFileSync(path, 'utf8');
  const group = new Interaction();
  if (process.env['THEMIS_REWRITE'] === '1') {
    writeFileSync(
      path,
      rewriteScript(text, name, (command) => runInteraction(group, command)),
    );
    return;
  }
  const mismatches = runScript(parseScript(text, name), (command) =>
    runInteraction(group, command),
  );
  expect(mismatches.map(describeMismatch)).toEqual([]);
});
