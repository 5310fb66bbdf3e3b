import type { Answer, Call, Caller } from './caller.ts';
import { ReadCoalescer } from './read-coalescer.ts';

/** Where calls go: one namespace, and one transaction when there is one. */
export interface SessionOptions {
  readonly caller: Caller;
  readonly namespace: string;
  readonly transaction?: string | undefined;
  /** Gather point reads of one turn into one request. */
  readonly coalesceReads: boolean;
  readonly newId: () => string;
}

export class Session {
  readonly caller: Caller;
  readonly namespace: string;
  readonly transaction: string | undefined;
  readonly reads: ReadCoalescer | undefined;
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.caller = options.caller;
    this.namespace = options.namespace;
    this.transaction = options.transaction;
    this.reads = options.coalesceReads ? new ReadCoalescer(this) : undefined;
  }

  with(change: Partial<SessionOptions>): Session {
    return new Session({ ...this.#options, ...change });
  }

  call(call: Omit<Call, 'namespace' | 'transaction'>): Promise<Answer> {
    return this.caller.call(this.scoped(call));
  }

  /** A write under an idempotency key; inside a transaction there is nothing to protect. */
  write(call: Omit<Call, 'isRepeatable'>, idempotencyKey?: string): Promise<Answer> {
    const isWrite = call.isWrite ?? true;
    if (this.transaction !== undefined) return this.call({ ...call, isWrite, isRepeatable: false });
    const key = idempotencyKey ?? this.#options.newId();
    return this.call({
      ...call,
      isWrite,
      headers: { ...call.headers, 'idempotency-key': key },
      isRepeatable: true,
    });
  }

  scoped(call: Omit<Call, 'namespace' | 'transaction'>): Call {
    return { ...call, namespace: this.namespace, transaction: this.transaction };
  }
}
