import { Pool, type Dispatcher } from 'undici';
import { themisError } from '@themisdb/protocol';
import { brokenOff } from './broken-off.ts';
import type { MakeTransport, Transport, TransportRequest, TransportResponse } from './transport.ts';

/** Keep-alive connection pools, one per origin. Several times faster than Node's built-in fetch. */
export const makeTransport: MakeTransport = ({ connectionsMax }) =>
  new UndiciTransport(connectionsMax);

class UndiciTransport implements Transport {
  readonly #connectionsMax: number;
  readonly #pools = new Map<string, Pool>();

  constructor(connectionsMax: number) {
    this.#connectionsMax = connectionsMax;
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    try {
      const answer = await this.#pool(request.origin).request({
        method: request.method as Dispatcher.HttpMethod,
        path: request.path,
        headers: request.headers as Record<string, string>,
        body: (request.body ?? null) as string | Uint8Array | null,
        signal: request.signal ?? null,
      });
      return new UndiciResponse(answer, request);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw connectionFailed(request, error);
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #pool(origin: string): Pool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = new Pool(origin, {
        connections: this.#connectionsMax,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      this.#pools.set(origin, pool);
    }
    return pool;
  }
}

class UndiciResponse implements TransportResponse {
  readonly #answer: Dispatcher.ResponseData;
  readonly #request: TransportRequest;

  constructor(answer: Dispatcher.ResponseData, request: TransportRequest) {
    this.#answer = answer;
    this.#request = request;
  }

  get status(): number {
    return this.#answer.statusCode;
  }

  header(name: string): string | undefined {
    const value = this.#answer.headers[name.toLowerCase()];
    return Array.isArray(value) ? value[0] : value;
  }

  async text(): Promise<string> {
    try {
      return await this.#answer.body.text();
    } catch (error) {
      throw brokenOff(this.#request, error);
    }
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of this.#answer.body) yield chunk as Uint8Array;
    } catch (error) {
      throw brokenOff(this.#request, error);
    }
  }

  discard(): void {
    const { body } = this.#answer;
    body.on('error', () => {});
    body.destroy();
  }
}

// What undici reports before a byte was written: the request cannot have had an effect.
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function connectionFailed(request: TransportRequest, cause: unknown): Error {
  const code = (cause as { code?: string }).code ?? 'unknown';
  return themisError('CONNECTION_FAILED', {
    message: `no answer from ${request.origin} (${code}); is the server running there?`,
    details: { origin: request.origin, reason: code, sent: !neverSent.has(code) },
    cause,
  });
}
