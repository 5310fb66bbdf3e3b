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

  async run(
    exchange: Exchange,
    raw: Uint8Array,
    write: (remember: Remember) => Promise<Answer>,
  ): Promise<Answer> {
    const header = exchange.header('idempotency-key');
    if (header === undefined) return write(undefined);
    if (!/^[\x20-\x7e]+$/.test(header) || header.length > keyLengthMax) {
      throw themisError('BAD_REQUEST', {
        message: `Idempotency-Key must be 1 to ${keyLengthMax} printable ASCII characters`,
        details: { header: 'Idempotency-Key' },
      });
    }
    const key = `${exchange.namespace}/${header}`;
    const fingerprint = fingerprintOf(exchange, raw);
    for (let other = this.#busy.get(key); other !== undefined; other = this.#busy.get(key)) {
      await other.catch(() => undefined);
    }
    const turn = this.#once(key, fingerprint, write);
    this.#busy.set(key, turn);
    try {
      return await turn;
    } finally {
      this.#busy.delete(key);
    }
  }

  async #once(
    key: string,
    fingerprint: string,
    write: (remember: Remember) => Promise<Answer>,
  ): Promise<Answer> {
    const known = await this.#store.findAnswer(key);
    if (known === undefined) {
      return write((transaction, answer) =>
        transaction.rememberAnswer(key, { fingerprint, body: toStored(transaction, answer) }),
      );
    }
    if (known.fingerprint === fingerprint) return fromStored(known);
    throw themisError('IDEMPOTENCY_MISMATCH', {
      message: 'this Idempotency-Key was used before with another request; make a new key for each',
      details: { header: 'Idempotency-Key' },
    });
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
