import { themisError } from '@themisdb/protocol';
import { brokenOff } from './broken-off.ts';
import type { MakeTransport, Transport, TransportRequest, TransportResponse } from './transport.ts';

/** The platform's fetch: for browsers and other runtimes. The platform owns the connections. */
export const makeTransport: MakeTransport = () => new FetchTransport();

class FetchTransport implements Transport {
  async send(request: TransportRequest): Promise<TransportResponse> {
    try {
      const answer = await fetch(request.origin + request.path, {
        method: request.method,
        headers: request.headers as Record<string, string>,
        ...(request.body !== undefined && { body: await wholeBody(request.body) }),
        ...(request.signal && { signal: request.signal }),
      });
      return new FetchResponse(answer, request);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw themisError('CONNECTION_FAILED', {
        message: `no answer from ${request.origin}; is the server running there?`,
        // fetch does not tell whether the request left, so it must be taken as sent.
        details: { origin: request.origin, sent: true },
        cause: error,
      });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Browsers do not stream request bodies over HTTP/1.1, so a stream is gathered first. */
async function wholeBody(body: NonNullable<TransportRequest['body']>): Promise<BodyInit> {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of body) parts.push(part as Uint8Array<ArrayBuffer>);
  return new Blob(parts);
}

class FetchResponse implements TransportResponse {
  readonly #answer: Response;
  readonly #request: TransportRequest;

  constructor(answer: Response, request: TransportRequest) {
    this.#answer = answer;
    this.#request = request;
  }

  get status(): number {
    return this.#answer.status;
  }

  header(name: string): string | undefined {
    return this.#answer.headers.get(name) ?? undefined;
  }

  async text(): Promise<string> {
    try {
      return await this.#answer.text();
    } catch (error) {
      throw brokenOff(this.#request, error);
    }
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    const reader = this.#answer.body?.getReader();
    if (reader === undefined) return;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw brokenOff(this.#request, error);
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  discard(): void {
    void this.#answer.body?.cancel().catch(() => {});
  }
}
