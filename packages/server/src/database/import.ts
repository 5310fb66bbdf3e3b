import { hasCode, isObject, type Env, type ValueObject } from '@themisdb/base';
import { themisError, uuidOfKey, type NdjsonLine } from '@themisdb/protocol';
import type { CollectionInfo, Store, Transaction } from '@themisdb/storage';
import { attemptsDefault, transact } from './transact.ts';

export type OnDuplicate = 'error' | 'ignore' | 'replace' | 'update';

export interface ImportCounts {
  lines: number;
  created: number;
  updated: number;
  ignored: number;
  failed: number;
}

export interface ImporterOptions {
  readonly store: Store;
  readonly env: Pick<Env, 'timers' | 'random'>;
  readonly collection: CollectionInfo;
  readonly onDuplicate: OnDuplicate;
  /** Told of each line that failed. */
  onFailure(line: number, error: unknown): void;
}

interface Row {
  readonly line: number;
  readonly document: ValueObject;
}

const rowsPerCommit = 2000;
const underWayMax = 3;

/**
 * Writes lines of documents in transactions of a few thousand. While one commits, the next is made
 * ready and the one after it parsed; commits keep the order of the lines, so that the last of two
 * lines with one key wins.
 */
export class Importer {
  readonly counts: ImportCounts = { lines: 0, created: 0, updated: 0, ignored: 0, failed: 0 };
  readonly #options: ImporterOptions;
  #rows: Row[] = [];
  /** Writes not waited for yet, oldest first. */
  readonly #underWay: Promise<void>[] = [];

  constructor(options: ImporterOptions) {
    this.#options = options;
  }

  /** Resolves when it is ready for more. An error that is no line's fault ends the import. */
  async add(lines: readonly NdjsonLine[]): Promise<void> {
    for (const entry of lines) {
      this.counts.lines++;
      if ('error' in entry) this.#fail(entry.line, entry.error);
      else if (!isObject(entry.value)) this.#fail(entry.line, notAnObject());
      else this.#rows.push({ line: entry.line, document: entry.value });
      if (this.#rows.length >= rowsPerCommit) await this.#flush();
    }
  }

  /** Resolves when all is on disk. */
  async finish(): Promise<ImportCounts> {
    await this.#flush();
    for (const write of this.#underWay.splice(0)) await write;
    return this.counts;
  }

  async #flush(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    const previous = this.#underWay.at(-1);
    const own = this.#writeAfter(previous, rows);
    // Its failure is met when its turn to be waited for comes.
    own.catch(() => undefined);
    this.#underWay.push(own);
    if (this.#underWay.length >= underWayMax) await this.#underWay.shift();
  }

  async #writeAfter(previous: Promise<void> | undefined, rows: readonly Row[]): Promise<void> {
    const ready = await this.#prepare(rows);
    try {
      await previous;
    } catch (error) {
      ready.transaction.rollback();
      throw error;
    }
    await this.#commit(rows, ready);
  }

  async #prepare(rows: readonly Row[]): Promise<Prepared> {
    const transaction = this.#options.store.begin({ isolation: 'snapshot' });
    try {
      return { transaction, outcomes: await this.#write(transaction, rows) };
    } catch (error) {
      transaction.rollback();
      throw error;
    }
  }

  async #commit(rows: readonly Row[], ready: Prepared): Promise<void> {
    try {
      await ready.transaction.commit();
      this.#count(rows, ready.outcomes);
    } catch (error) {
      if (!hasCode(error, 'WRITE_CONFLICT')) throw error;
      // Most likely a key that the commit before wrote as well.
      const { store, env } = this.#options;
      const how = { options: { isolation: 'snapshot' }, attemptsMax: attemptsDefault } as const;
      const { result } = await transact(store, env, how, (tx) => this.#write(tx, rows));
      this.#count(rows, result);
    }
  }

  async #write(transaction: Transaction, rows: readonly Row[]): Promise<Outcome[]> {
    const { collection, onDuplicate } = this.#options;
    const results = await transaction.insertMany(
      collection,
      rows.map((row) => row.document),
    );
    const outcomes: Outcome[] = [];
    for (let i = 0; i < rows.length; i++) {
      const result = results[i]!;
      if (!('error' in result)) outcomes.push('created');
      else if (onDuplicate === 'error' || !hasCode(result.error, 'KEY_EXISTS'))
        outcomes.push(result);
      else if (onDuplicate === 'ignore') outcomes.push('ignored');
      else outcomes.push(await this.#overwrite(transaction, rows[i]!.document));
    }
    return outcomes;
  }

  async #overwrite(transaction: Transaction, document: ValueObject): Promise<Outcome> {
    const { collection, onDuplicate } = this.#options;
    const uuid = uuidOfKey(collection.uuidNamespace, document['_key'] as string);
    try {
      await (onDuplicate === 'replace'
        ? transaction.replace(collection, uuid, document)
        : transaction.update(collection, uuid, document));
      return 'updated';
    } catch (error) {
      return { error };
    }
  }

  #count(rows: readonly Row[], outcomes: readonly Outcome[]): void {
    outcomes.forEach((outcome, i) => {
      if (typeof outcome === 'string') this.counts[outcome]++;
      else this.#fail(rows[i]!.line, outcome.error);
    });
  }

  #fail(line: number, error: unknown): void {
    this.counts.failed++;
    this.#options.onFailure(line, error);
  }
}

interface Prepared {
  readonly transaction: Transaction;
  readonly outcomes: readonly Outcome[];
}

type Outcome = 'created' | 'updated' | 'ignored' | { readonly error: unknown };

function notAnObject(): Error {
  return themisError('INVALID_FIELD', {
    message: 'the line holds no JSON object: an entity is one',
  });
}
