import {
  hasCode,
  isObject,
  isThemisError,
  ThemisError,
  type Env,
  type ValueObject,
} from '@themisdb/base';
import { themisError, uuidOfKey, type NdjsonLine, type NdjsonSink } from '@themisdb/protocol';
import type {
  CollectionInfo,
  EncodedRows,
  RowEncoder,
  RowEncoderOptions,
  Store,
  Transaction,
} from '@themisdb/storage';
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
  /** Of the parser that made the lines. */
  readonly limits?: RowEncoderOptions | undefined;
  /** Told of each line that failed. */
  onFailure(line: number, error: unknown): void;
}

/** Documents of one commit, with the numbers of their lines. */
interface Piece {
  readonly lines: readonly number[];
  readonly documents: readonly ValueObject[] | EncodedRows;
}

/** Of documents; more at once only fill the old generation. */
const documentsPerCommit = 2000;
/** Of encoded rows, which cost less the more come together; this takes the main thread about 15 ms. */
const rowsPerCommit = 8000;
const bytesPerCommit: number = 2 * 1024 * 1024;
const underWayMax = 3;

/**
 * Writes lines of documents in transactions of a few thousand. While one commits, the next is made
 * ready and the one after it parsed; commits keep the order of the lines, so that the last of two
 * lines with one key wins. Feed it as the sink of a reader, with `ready` after each chunk.
 *
 * Where the collection allows it lines are encoded as they stand, without being parsed to values
 * (`RowEncoder`); a line that is in any way unusual comes back parsed and is encoded from its value.
 */
export class Importer implements NdjsonSink {
  readonly counts: ImportCounts = { lines: 0, created: 0, updated: 0, ignored: 0, failed: 0 };
  readonly #options: ImporterOptions;
  readonly #encoder: RowEncoder | undefined;
  #lines: number[] = [];
  #documents: ValueObject[] = [];
  #pieces: Piece[] = [];
  /** Writes not waited for yet, oldest first. */
  readonly #underWay: Promise<void>[] = [];
  /** The last line of the last commit; those before it are there, or were counted as failed. */
  #lastLine = 0;

  constructor(options: ImporterOptions) {
    this.#options = options;
    this.#encoder = options.store.rowEncoder(options.collection, options.limits);
  }

  take(line: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#encoder?.tryAddJson(bytes, start, end) !== true) return false;
    this.counts.lines++;
    this.#note(line);
    return true;
  }

  add(entry: NdjsonLine): void {
    const { line } = entry;
    this.counts.lines++;
    if ('error' in entry) this.#fail(line, entry.error);
    else if (!isObject(entry.value)) this.#fail(line, notAnObject());
    else this.#addDocument(line, entry.value);
  }

  /** Resolves when it is ready for more. An error that is no line's fault ends the import. */
  async ready(): Promise<void> {
    for (const piece of this.#pieces.splice(0)) await this.#start(piece);
  }

  /** Resolves when all is on disk. */
  async finish(): Promise<ImportCounts> {
    this.#cut();
    await this.ready();
    for (const write of this.#underWay.splice(0)) await write;
    return this.counts;
  }

  /**
   * What ended the import. Once something of it is there it must not be run again as a whole, and
   * says what is there: `details.committed`, with the line up to which.
   */
  failure<E>(error: E): E | ThemisError {
    if (this.#lastLine === 0 || !isThemisError(error)) return error;
    const { created, updated, ignored } = this.counts;
    const committed = { line: this.#lastLine, created, updated, ignored };
    const { code, kind, message, position } = error;
    return new ThemisError({
      code,
      kind,
      message: `${message}; the lines up to ${committed.line} were committed before`,
      position,
      details: { ...error.details, committed },
      cause: error,
    });
  }

  #addDocument(line: number, document: ValueObject): void {
    try {
      if (this.#encoder === undefined) this.#documents.push(document);
      else this.#encoder.addDocument(document);
    } catch (error) {
      this.#fail(line, error);
      return;
    }
    this.#note(line);
  }

  #note(line: number): void {
    this.#lines.push(line);
    const isEnough =
      this.#encoder === undefined
        ? this.#lines.length >= documentsPerCommit
        : this.#lines.length >= rowsPerCommit || this.#encoder.bytes >= bytesPerCommit;
    if (isEnough) this.#cut();
  }

  #cut(): void {
    if (this.#lines.length === 0) return;
    const documents = this.#encoder === undefined ? this.#documents : this.#encoder.take();
    this.#pieces.push({ lines: this.#lines, documents });
    this.#lines = [];
    this.#documents = [];
  }

  async #start(piece: Piece): Promise<void> {
    const previous = this.#underWay.at(-1);
    const own = this.#writeAfter(previous, piece);
    // Its failure is met when its turn to be waited for comes.
    own.catch(() => undefined);
    this.#underWay.push(own);
    if (this.#underWay.length >= underWayMax) await this.#underWay.shift();
  }

  async #writeAfter(previous: Promise<void> | undefined, piece: Piece): Promise<void> {
    const ready = await this.#prepare(piece);
    try {
      await previous;
    } catch (error) {
      ready.transaction.rollback();
      throw error;
    }
    await this.#commit(piece, ready);
  }

  async #prepare(piece: Piece): Promise<Prepared> {
    const transaction = this.#options.store.begin({ isolation: 'snapshot' });
    try {
      return { transaction, outcomes: await this.#write(transaction, piece) };
    } catch (error) {
      transaction.rollback();
      throw error;
    }
  }

  async #commit(piece: Piece, ready: Prepared): Promise<void> {
    try {
      await ready.transaction.commit();
      this.#count(piece, ready.outcomes);
    } catch (error) {
      if (!hasCode(error, 'WRITE_CONFLICT')) throw error;
      // Most likely a key that the commit before wrote as well.
      const { store, env } = this.#options;
      const how = { options: { isolation: 'snapshot' }, attemptsMax: attemptsDefault } as const;
      const { result } = await transact(store, env, how, (tx) => this.#write(tx, piece));
      this.#count(piece, result);
    }
  }

  async #write(transaction: Transaction, piece: Piece): Promise<Outcome[]> {
    const { onDuplicate } = this.#options;
    const results = await this.#insert(transaction, piece);
    const outcomes: Outcome[] = [];
    for (let i = 0; i < piece.lines.length; i++) {
      const result = results[i];
      if (result === undefined || !('error' in result)) outcomes.push('created');
      else if (onDuplicate === 'error' || !hasCode(result.error, 'KEY_EXISTS'))
        outcomes.push(result);
      else if (onDuplicate === 'ignore') outcomes.push('ignored');
      else outcomes.push(await this.#overwrite(transaction, documentOf(piece, i)));
    }
    return outcomes;
  }

  #insert(transaction: Transaction, { documents }: Piece): Promise<readonly InsertResult[]> {
    return isEncoded(documents)
      ? transaction.insertRows(documents)
      : transaction.insertMany(this.#options.collection, documents);
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

  #count({ lines }: Piece, outcomes: readonly Outcome[]): void {
    this.#lastLine = lines.at(-1)!;
    outcomes.forEach((outcome, i) => {
      if (typeof outcome === 'string') this.counts[outcome]++;
      else this.#fail(lines[i]!, outcome.error);
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

type InsertResult = object | { readonly error: unknown } | undefined;

type Outcome = 'created' | 'updated' | 'ignored' | { readonly error: unknown };

function isEncoded(documents: Piece['documents']): documents is EncodedRows {
  return !Array.isArray(documents);
}

function documentOf({ documents }: Piece, i: number): ValueObject {
  return isEncoded(documents) ? documents.document(i) : documents[i]!;
}

function notAnObject(): Error {
  return themisError('INVALID_FIELD', {
    message: 'the line holds no JSON object: an entity is one',
  });
}
