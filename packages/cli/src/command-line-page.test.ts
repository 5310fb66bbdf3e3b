import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandLinePage } from './command-line-page.ts';
import { makeProgram } from './main.ts';
import { processTerminal } from './terminal.ts';

test('docs/reference/command-line.md is what the commands say', () => {
  const url = new URL('../../../docs/reference/command-line.md', import.meta.url);
  const text = commandLinePage(makeProgram(processTerminal(), () => undefined));
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(url, text);
  expect(readFileSync(url, 'utf8')).toBe(text);
  for (const name of ['start', 'import', 'export', 'shell', 'sim']) {
    expect(text).toContain(`## themis ${name}\n`);
  }
});
