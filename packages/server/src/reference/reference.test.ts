import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { routes } from '../http/routes/index.ts';
import { configurationPage } from './configuration-page.ts';
import { errorsPage } from './errors-page.ts';
import { httpPage } from './http-page.ts';

// UPDATE_DOCS=1 writes the pages; without it they must be what the code says.
test.each([
  ['http.md', () => httpPage(routes)],
  ['errors.md', errorsPage],
  ['configuration.md', configurationPage],
])('docs/reference/%s is what the code says', (name, make) => {
  const url = new URL(`../../../../docs/reference/${name}`, import.meta.url);
  const text = make();
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(url, text);
  const hint = 'write it anew: UPDATE_DOCS=1 npx vitest run packages/server/src/reference';
  expect(readFileSync(url, 'utf8'), hint).toBe(text);
});

test('the HTTP page has every route and leads to every shape it names', () => {
  const page = httpPage(routes);
  for (const { method, path } of routes) expect(page).toContain(`### ${method} ${path}\n`);
  expect(page).toContain('**QueryAnswer**');
});
