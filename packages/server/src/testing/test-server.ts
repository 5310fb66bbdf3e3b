import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { silentLog, type Env } from '@themisdb/base';
import { makeConfig } from '../config/config.ts';
import type { ConfigInput } from '../config/config.ts';
import { startServer, type RunningServer } from '../server.ts';

export interface TestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // Answers are looked into by tests of all kinds.
  // eslint-disable-next-line typescript/no-explicit-any
  readonly json: any;
  readonly code: string | undefined;
}

export interface TestRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Uint8Array;
}

/** A client that shows everything. */
export interface TestClient {
  readonly url: string;
  send(method: string, path: string, options?: TestRequest): Promise<TestAnswer>;
  /** The message as it arrives, for streams. */
  open(method: string, path: string, options?: TestRequest): Promise<IncomingMessage>;
  aql(query: string, params?: object, options?: object): Promise<TestAnswer>;
}

/** A server with an in-memory engine on a free port, and a client of it. */
export interface TestServer extends TestClient {
  readonly running: RunningServer;
  stop(): Promise<void>;
}

export async function startTestServer(
  flags: ConfigInput['flags'] = {},
  env?: Env,
): Promise<TestServer> {
  const config = makeConfig({ port: 0, engine: 'memory', ...flags });
  const running = await startServer(config, {
    log: silentLog,
    ...(env === undefined ? {} : { env }),
  });
  return {
    ...testClient(running.url),
    running,
    stop: () => running.stop({ graceMs: 1000 }),
  };
}

export function testClient(url: string): TestClient {
  const send: TestClient['send'] = async (method, path, options) =>
    readAnswer(await openRequest(url, method, path, options ?? {}));
  return {
    url,
    send,
    open: (method, path, options) => openRequest(url, method, path, options ?? {}),
    aql: (query, params, options) =>
      send('POST', '/query/aql', { json: { query, params, options } }),
  };
}

function openRequest(
  url: string,
  method: string,
  path: string,
  { headers, json, body }: TestRequest,
): Promise<IncomingMessage> {
  const sent = json === undefined ? body : JSON.stringify(json);
  const type = sent === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}${path}`,
      { method, headers: { ...type, ...headers }, agent: false },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(sent);
  });
}

export async function readAnswer(message: IncomingMessage): Promise<TestAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const type = message.headers['content-type'] ?? '';
  const isJson = type.endsWith('json') && !type.endsWith('ndjson') && text !== '';
  const json: unknown = isJson ? JSON.parse(text) : undefined;
  const code = (json as { error?: { code?: string } } | undefined)?.error?.code;
  return { status: message.statusCode!, headers: message.headers, text, json, code };
}
