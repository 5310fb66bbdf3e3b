import { themisError } from '@themisdb/protocol';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { RememberedAnswer, Timestamp } from '../contract/transaction.ts';
import { answerName, decodeAnswer, encodeAnswer } from '../changes/answers.ts';
import { encodeChanges, type ChangeRecord } from '../changes/change-codec.ts';
import { makeTombstone } from '../envelope.ts';
import { keyText, metaName } from '../keys.ts';
import { CommandWriter } from '../log/command.ts';
import { encodeCount } from '../log/counters.ts';
import type { Formed, Proposal } from '../log/pipeline.ts';
import { timestampOfMs } from '../timestamp.ts';
import type { CommittedRecord } from '../record.ts';
import type { BulkWrites } from './overlay.ts';
import type { Written } from './recent-writes.ts';
import type { TransactionState } from './state.ts';

/** Validates a transaction when its turn has come, and turns its writes into a command. */
export class TransactionProposal implements Proposal {
  readonly #state: TransactionState;

  constructor(state: TransactionState) {
    this.#state = state;
  }

  get sizeHint(): number {
    return this.#state.overlay.bytes + 1024;
  }

  form(timestamp: Timestamp): Formed {
    this.#validate();
    const { bulk } = this.#state.overlay;
    const written: Written[] = [];
    const formed = bulk?.form(timestamp);
    const command = new CommandWriter(timestamp, this.sizeHint, formed?.writes);
    if (formed === undefined) {
      this.#writeRecords(command, timestamp, written);
      this.#writeEntries(command, written);
    } else {
      command.changes(formed.changes);
      written.push(formed.written);
    }
    this.#writeAnswers(command, timestamp, written);
    const undo = this.#writeCounts(command);
    const applied = formed?.applied ?? (() => this.#applied());
    return { command: command.finish(), written, undo, applied };
  }

  #validate(): void {
    const { context, view, overlay, reads, guards, answers } = this.#state;
    const { recent } = context;
    const from = view.index;
    if (recent.isForgotten(from)) this.#conflict('it was open for too long');
    if (recent.lastIndex <= from) return;
    for (const id of overlay.bulk === undefined
      ? this.#validateOverlay(from)
      : this.#validateBulk(overlay.bulk, from)) {
      const text = keyText(context.keys.meta(metaName.collection, id));
      if (recent.changedSince(text, from))
        this.#conflict('the definition of a collection it wrote to was changed');
    }
    for (const text of guards) {
      if (recent.changedSince(text, from)) this.#conflict('an index it wrote to was being built');
    }
    for (const key of answers.keys()) {
      const text = keyText(context.keys.answer(answerName(key)));
      if (recent.changedSince(text, from)) this.#conflict('its idempotency key was used');
    }
    if (reads?.conflicts(recent, from)) this.#conflict('something it read was changed');
  }

  /** Returns the collections written to. */
  #validateOverlay(from: number): Iterable<number> {
    const { overlay, context } = this.#state;
    const { recent } = context;
    const collections = new Set<number>();
    overlay.records.forEach(({ text, parts }) => {
      if (recent.changedSince(text, from)) this.#conflict(changedEntity(parts.collection));
      collections.add(parts.collection.id);
    });
    overlay.entries.forEach((entry) => {
      const { index } = entry;
      if (index.unique && recent.changedSince(entry.text, from))
        this.#conflict(`a value of unique index "${index.name}" was taken or freed`);
      collections.add(index.collectionId);
    });
    return collections;
  }

  #validateBulk(bulk: BulkWrites, from: number): Iterable<number> {
    const { collection } = bulk;
    if (bulk.isChangedSince(from)) this.#conflict(changedEntity(collection));
    return [collection.id];
  }

  #conflict(why: string): never {
    this.#state.context.conflicts++;
    throw themisError('WRITE_CONFLICT', {
      message: `the transaction was not committed because ${why} meanwhile; run it again`,
    });
  }

  #writeRecords(command: CommandWriter, timestamp: Timestamp, written: Written[]): void {
    const changes: ChangeRecord[] = [];
    const { presence, pages } = this.#state.context;
    this.#state.overlay.records.forEach((pending) => {
      const { key, committed } = pending;
      const { body, collection, uuid } = pending.parts;
      if (committed === undefined && body === undefined) return;
      written.push(pending);
      pages.invalidate(collection.id, key);
      if (committed === undefined) presence.add(key);
      if (body === undefined) command.delete(key);
      else command.putRecord(key, body, timestamp);
      if (committed !== undefined) this.#writeHistory(command, committed, body, timestamp);
      const operation =
        committed === undefined ? 'insert' : body === undefined ? 'remove' : 'update';
      const previousVersion = committed?.version;
      changes.push({ operation, collectionId: collection.id, uuid, previousVersion });
    });
    if (changes.length > 0) command.changes(encodeChanges(timestamp, changes));
  }

  #writeHistory(
    command: CommandWriter,
    committed: CommittedRecord,
    body: Uint8Array | undefined,
    timestamp: Timestamp,
  ): void {
    const { keys } = this.#state.context;
    const { recordKey, version } = committed;
    command.put(keys.history(recordKey, version), committed.envelope);
    if (body === undefined)
      command.put(keys.history(recordKey, timestamp), makeTombstone(timestamp));
  }

  #writeEntries(command: CommandWriter, written: Written[]): void {
    const { presence } = this.#state.context;
    this.#state.overlay.entries.forEach((pending) => {
      const { key, value, existed, index } = pending;
      if (index.unique && value !== undefined) presence.add(key);
      if (value !== undefined) command.put(key, value);
      else if (existed) command.delete(key);
      else return;
      written.push(pending);
    });
  }

  #writeAnswers(command: CommandWriter, timestamp: Timestamp, written: Written[]): void {
    const { keys, retention } = this.#state.context;
    for (const [key, answer] of this.#state.answers) {
      const name = answerName(key);
      const expires = timestamp + timestampOfMs(retention.answersMs);
      const at = keys.answer(name);
      command.put(at, encodeAnswer({ ...answer, timestamp, expires }));
      command.put(keys.answerExpiry(expires, name), new Uint8Array(0));
      written.push({ text: keyText(at) });
    }
  }

  #writeCounts(command: CommandWriter): () => void {
    const { counters, keys } = this.#state.context;
    const previous = new Map<number, number>();
    for (const [id, change] of this.#state.counts) {
      if (change === 0) continue;
      previous.set(id, counters.get(id));
      counters.set(id, counters.get(id) + change);
      command.put(keys.meta(metaName.count, id), encodeCount(counters.get(id)));
    }
    return () => {
      for (const [id, count] of previous) counters.set(id, count);
    };
  }

  #applied(): void {
    const { statistics } = this.#state.context;
    this.#state.overlay.entries.forEach(({ index, key, value, existed }) => {
      const change = (value === undefined ? 0 : 1) - (existed ? 1 : 0);
      statistics.note(index.id, key, index.unique, change);
    });
  }
}

function changedEntity({ name }: CollectionInfo): string {
  return `an entity of collection "${name}" it wrote was changed`;
}

/**
 * An answer under this key may have been stored before the transaction began: then the request was
 * carried out already. Called before the commit is submitted; commits since the snapshot are found by
 * validation.
 */
export async function checkAnswers(state: TransactionState): Promise<void> {
  for (const [key, { fingerprint }] of state.answers) {
    if (state.unanswered.has(key)) continue;
    const answer = await findAnswer(state, key);
    if (answer === undefined) continue;
    if (answer.fingerprint !== fingerprint)
      throw themisError('IDEMPOTENCY_MISMATCH', {
        message: 'the idempotency key was used before with another request',
      });
    throw themisError('WRITE_CONFLICT', {
      message: 'a request with this idempotency key was carried out meanwhile; read its answer',
    });
  }
}

/** Of the snapshot. */
export async function findAnswer(
  state: TransactionState,
  key: string,
): Promise<RememberedAnswer | undefined> {
  const { keys, engine, clock } = state.context;
  const stored = await engine.get(keys.answer(answerName(key)), { snapshot: state.snapshot() });
  const answer = stored && decodeAnswer(stored);
  if (answer !== undefined && answer.expires > clock.now()) {
    const { fingerprint, body, timestamp } = answer;
    return { fingerprint, body, timestamp };
  }
  state.unanswered.add(key);
  return undefined;
}
