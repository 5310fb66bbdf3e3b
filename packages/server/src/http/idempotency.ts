import { createHash } from 'node:crypto';
import type { Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import {
  formatTimestamp,
  type RememberedAnswer,
  type Store,
  type Transaction,
} from '@themisdb/storage';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';

/**
 * What a write calls before it commits; undefined when no key was given. The answer shows the
 * transaction's provisional version wherever the final one will stand.
 */
export type Remember = ((transaction: Transaction, answer: Answer) => void) | undefined;

/** The idempotency key of a request that is one transaction. */
export interface IdempotencyKey {
  /** Throws where the request was carried out before; may run beside the work of the transaction. */
  check(transaction: Transaction): Promise<void>;
  /** To be called before the commit, as `Remember`. */
  remember(transaction: Transaction, answer: Answer): void;
}

const keyLengthMax = 255;

/**
 * Idempotency-Key: a write repeated under its key has one effect and one answer. The answer is stored
 * in the same commit as the effect; another request under the key is IDEMPOTENCY_MISMATCH. Errors are
 * not stored: they had no effect, so the repetition may try again.
 */
export class Idempotency {
  readonly #store: Store;
  /** Keys under way: a repetition that comes too early waits for the first to end. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Looks for the answer, then runs `write`. */
  run(
    exchange: Exchange,
    raw: Uint8Array,
    write: (remember: Remember) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#inTurn(exchange, raw, async (request) => {
      if (request === undefined) return write(undefined);
      const known = await this.#store.findAnswer(request.key);
      return known === undefined
        ? write((transaction, answer) => request.remember(transaction, answer))
        : request.answerFrom(known);
    });
  }

  /** Runs `write`, whose transaction calls `check` of the key: that saves a round of reading. */
  runChecking(
    exchange: Exchange,
    raw: Uint8Array,
    write: (key: IdempotencyKey | undefined) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#inTurn(exchange, raw, async (request) => {
      try {
        return await write(request);
      } catch (error) {
        if (error instanceof CarriedOut) return request!.answerFrom(error.known);
        throw error;
      }
    });
  }

  async #inTurn(
    exchange: Exchange,
    raw: Uint8Array,
    run: (request: KeyedRequest | undefined) => Promise<Answer>,
  ): Promise<Answer> {
    const header = exchange.header('idempotency-key');
    if (header === undefined) return run(undefined);
    if (!/^[\x20-\x7e]+$/.test(header) || header.length > keyLengthMax) {
      throw themisError('BAD_REQUEST', {
        message: `Idempotency-Key must be 1 to ${keyLengthMax} printable ASCII characters`,
        details: { header: 'Idempotency-Key' },
      });
    }
    const key = `${exchange.namespace}/${header}`;
    const request = new KeyedRequest(key, fingerprintOf(exchange, raw));
    for (let other = this.#busy.get(key); other !== undefined; other = this.#busy.get(key)) {
      await exchange.wait(other.catch(() => undefined)).catch((error: unknown) => {
        throw firstUnderWay(error);
      });
    }
    const turn = run(request);
    this.#busy.set(key, turn);
    try {
      return await turn;
    } finally {
      this.#busy.delete(key);
    }
  }
}

class KeyedRequest implements IdempotencyKey {
  readonly key: string;
  readonly #fingerprint: string;

  constructor(key: string, fingerprint: string) {
    this.key = key;
    this.#fingerprint = fingerprint;
  }

  async check(transaction: Transaction): Promise<void> {
    const known = await transaction.findAnswer(this.key);
    if (known !== undefined) throw new CarriedOut(known);
  }

  remember(transaction: Transaction, answer: Answer): void {
    const body = toStored(transaction, answer);
    transaction.rememberAnswer(this.key, { fingerprint: this.#fingerprint, body });
  }

  answerFrom(known: RememberedAnswer): Answer {
    if (known.fingerprint === this.#fingerprint) return fromStored(known);
    throw themisError('IDEMPOTENCY_MISMATCH', {
      message: 'this Idempotency-Key was used before with another request; make a new key for each',
      details: { header: 'Idempotency-Key' },
    });
  }
}

/** Nothing was done for this repetition, but the first may come to its end yet. */
function firstUnderWay(cause: unknown): Error {
  return themisError('UNKNOWN_OUTCOME', {
    message: 'the first request under this Idempotency-Key is still under way',
    cause,
  });
}

/** Ends a transaction whose request was carried out before. */
class CarriedOut extends Error {
  readonly known: RememberedAnswer;

  constructor(known: RememberedAnswer) {
    super('the request was carried out before');
    this.known = known;
  }
}

/** Method, address and body: what makes two requests the same. */
function fingerprintOf(exchange: Exchange, raw: Uint8Array): string {
  const hash = createHash('sha256');
  hash.update(`${exchange.method} ${exchange.path}?${exchange.search}\n`);
  for (const name of ['if-match', 'if-none-match', 'x-themis-transaction']) {
    hash.update(`${exchange.header(name) ?? ''}\n`);
  }
  return hash.update(raw).digest('base64url');
}

/** Characters of an answer that are kept. */
const keptMax = 1024 * 1024;

function toStored(transaction: Transaction, answer: Answer): Value {
  const length = answer.body?.length ?? 0;
  if (length > keptMax) return { oversize: length };
  return {
    status: answer.status,
    headers: { ...answer.headers },
    provisional: formatTimestamp(transaction.provisionalVersion),
    ...(answer.body === undefined ? {} : { body: answer.body }),
  };
}

function fromStored(known: RememberedAnswer): Answer {
  const stored = known.body as unknown as StoredAnswer;
  const rev = formatTimestamp(known.timestamp!);
  if (stored.oversize !== undefined) {
    throw themisError('LIMIT_EXCEEDED', {
      message: `the request was carried out before (X-Themis-Token ${rev}); its answer of ${stored.oversize} characters was too long to be kept`,
      details: { limit: 'kept answer', max: keptMax, token: rev },
    });
  }
  const final = (text: string): string => text.replaceAll(stored.provisional, rev);
  const headers: Record<string, string> = { 'x-themis-token': rev, 'idempotency-replayed': 'true' };
  for (const [name, text] of Object.entries(stored.headers)) headers[name] = final(text);
  const { status, body } = stored;
  return body === undefined ? { status, headers } : { status, headers, body: final(body) };
}

interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly provisional: string;
  readonly body?: string;
  readonly oversize?: number;
}
