import { Agent, request } from 'node:http';

export type Answer =
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly code: string | undefined;
      readonly body: unknown;
    }
  /** Nobody listens: the request was never sent. */
  | { readonly type: 'refused' }
  /** No whole answer came: it may or may not have had its effect. */
  | { readonly type: 'lost' };

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export interface HttpClientOptions {
  /** Looked at anew for each request: what stands at an index may change. */
  readonly endpoints: readonly string[];
  /** Index of the endpoint it begins with. */
  readonly first: number;
  /** Of one attempt. */
  readonly timeoutMs: number;
}

/**
 * Sends each request once, to one endpoint, and stays there until told otherwise. Tells apart what the
 * history must tell apart; the client library hides just that.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  #at: number;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#at = options.first % options.endpoints.length;
  }

  get endpoint(): string {
    return this.#options.endpoints[this.#at]!;
  }

  goTo(index: number): void {
    this.#at = index % this.#options.endpoints.length;
  }

  next(): void {
    this.goTo(this.#at + 1);
  }

  send(method: string, path: string, { headers, json }: RequestOptions = {}): Promise<Answer> {
    const type = json === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve) => {
      const outgoing = request(this.endpoint + path, {
        method,
        agent: this.#agent,
        headers: { ...type, ...headers },
      });
      const timer = setTimeout(() => outgoing.destroy(), this.#options.timeoutMs);
      const end = (answer: Answer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      outgoing.on('error', (error: NodeJS.ErrnoException) =>
        end({ type: error.code === 'ECONNREFUSED' ? 'refused' : 'lost' }),
      );
      // A request destroyed by the timer after its answer began reports no error.
      outgoing.on('close', () => end({ type: 'lost' }));
      outgoing.on('response', (message) => {
        const chunks: Buffer[] = [];
        message.on('data', (chunk: Buffer) => chunks.push(chunk));
        message.on('error', () => end({ type: 'lost' }));
        message.on('end', () => end(readAnswer(message.statusCode!, Buffer.concat(chunks))));
      });
      outgoing.end(json === undefined ? undefined : JSON.stringify(json));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function readAnswer(status: number, bytes: Buffer): Answer {
  const text = bytes.toString();
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  const code = (body as { error?: { code?: string } } | undefined)?.error?.code;
  return { type: 'answer', status, code, body };
}

/** Whether a write had its effect: `refused` is certain that it had none. */
export type Verdict = 'done' | 'refused' | 'unknown';

/** Errors by which a server says that a write was not done, though their status is above 499. */
const notDone: ReadonlySet<string> = new Set(['NOT_LEADER', 'NO_LEADER', 'SHUTTING_DOWN']);
/** Errors below 500 that leave it open. */
const open: ReadonlySet<string> = new Set(['REQUEST_TIMEOUT', 'UNKNOWN_OUTCOME']);

export function verdictOf(answer: Answer): Verdict {
  if (answer.type === 'refused') return 'refused';
  if (answer.type === 'lost') return 'unknown';
  const { status, code } = answer;
  if (status < 300) return 'done';
  if (code !== undefined && notDone.has(code)) return 'refused';
  return status < 500 && !open.has(code ?? '') ? 'refused' : 'unknown';
}

/** An answer that stays the same however often one asks: the server did, or will not do, the request. */
export function isFinal(answer: Answer): boolean {
  if (answer.type !== 'answer') return false;
  const { status, code } = answer;
  if (status < 300) return true;
  return status < 500 && status !== 429 && status !== 409 && !open.has(code ?? '');
}
