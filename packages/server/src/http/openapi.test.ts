import { isErrorCode } from '@themisdb/protocol';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAnswer, startTestServer, type TestServer } from '../testing/test-server.ts';
import { version } from '../version.ts';
import { errorsOf } from './openapi.ts';
import { permissions } from './route.ts';
import { routes } from './routes/index.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { name: string; in: string; schema: object }[];
  readonly requestBody?: { content: object };
  readonly responses: Record<string, object>;
}
interface Document {
  readonly openapi: string;
  readonly info: { version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, object> };
}

let server: TestServer;
let document: Document;
beforeAll(async () => {
  server = await startTestServer();
  document = (await server.send('GET', '/openapi.json')).json as Document;
});
afterAll(() => server.stop());

test('is an OpenAPI 3.1 document of this version', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(document.info.version).toBe(version);
  const manifest = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  expect(version).toBe(manifest.version);
});

describe.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s',
  (_, route) => {
    test('stands in the document', () => {
      const operation = document.paths[route.path]?.[route.method.toLowerCase()];
      expect(operation?.summary).toBe(route.summary);
      expect(route.summary).toMatch(/^[A-Z].*\.$/);
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const inPath = operation!.parameters.filter((parameter) => parameter.in === 'path');
      expect(inPath.map((parameter) => parameter.name)).toEqual(names);
      expect(operation!.requestBody !== undefined).toBe(route.body !== undefined);
      expect(Object.keys(operation!.responses)).toEqual(
        expect.arrayContaining(Object.keys(route.answers)),
      );
    });

    test('names a permission and codes that exist', () => {
      expect(Object.keys(permissions)).toContain(route.permission);
      for (const code of errorsOf(route)) expect(isErrorCode(code), code).toBe(true);
    });

    test('is there', async () => {
      const path = route.path.replaceAll(/\{\w+\}/g, 'x');
      const message = await server.open(route.method, path);
      // A stream without end is not waited for.
      if (message.headers['content-type'] === 'text/event-stream') return void message.destroy();
      const { code } = await readAnswer(message);
      expect(code).not.toBe('ROUTE_NOT_FOUND');
      expect(code).not.toBe('METHOD_NOT_ALLOWED');
      expect(code).not.toBe('INTERNAL');
    });
  },
);

test('operation ids are unique', () => {
  const ids = Object.values(document.paths).flatMap((operations) =>
    Object.values(operations).map((operation) => operation.operationId),
  );
  expect(ids).toHaveLength(routes.length);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every reference leads somewhere', () => {
  const text = JSON.stringify(document);
  const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map((m) => m[1]!);
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) expect(document.components.schemas).toHaveProperty(name);
  expect(text).not.toContain('$defs');
});
