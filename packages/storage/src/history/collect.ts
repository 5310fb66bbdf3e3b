import { getU53 } from '../codec/integers.ts';
import type { Timestamp } from '../contract/transaction.ts';
import { decodeAnswer } from '../changes/answers.ts';
import { decodeChanges } from '../changes/change-codec.ts';
import type { StoreContext } from '../context.ts';
import { keyText, metaName, rangeOf, space } from '../keys.ts';
import { CommandWriter } from '../log/command.ts';
import { encodeRetained, type Retained } from '../log/retained.ts';
import type { Formed } from '../log/pipeline.ts';
import { timestampOfMs } from '../timestamp.ts';

/** Deletes of one command: small, so that writers never wait long for one. */
const deletesMax = 2000;

/**
 * Gives up what is past its retention, by ordinary commands, so that replicas stay equal.
 *
 * History is found through the change log: the change that superseded a version names it, and a
 * version is needed as long as moments before that change can be asked for. So one walk over the
 * changes that grew too old since last time is all; history itself is never scanned. Changes are
 * deleted only behind that walk.
 */
export class Collector {
  readonly #context: StoreContext;
  #retained: Retained;

  constructor(context: StoreContext, retained: Retained) {
    this.#context = context;
    this.#retained = retained;
  }

  get retained(): Retained {
    return this.#retained;
  }

  /** Another replica, which led, gave up more. */
  setRetained(retained: Retained): void {
    this.#retained = retained;
  }

  async run(): Promise<void> {
    await this.#collectHistory();
    await this.#trimChanges();
    await this.#forgetAnswers();
  }

  #ago(ms: number): Timestamp {
    return timestampOfMs(Math.max(0, this.#context.env.clock.nowMs() - ms));
  }

  async #collectHistory(): Promise<void> {
    const horizon = this.#ago(this.#context.retention.historyMs);
    for (;;) {
      const step = await this.#tooOldHistory(horizon);
      if (step === undefined) return;
      await this.#commit(step.next, (command) => step.keys.forEach((key) => command.delete(key)));
    }
  }

  /** Superseded versions of the next few commands that are past the horizon. */
  async #tooOldHistory(
    horizon: Timestamp,
  ): Promise<{ readonly keys: Uint8Array[]; readonly next: Retained } | undefined> {
    const { engine, keys, tokenOf } = this.#context;
    const gte = keys.change(this.#retained.historyIndex + 1);
    const found: Uint8Array[] = [];
    let next: Retained | undefined;
    for await (const batch of engine.scan({ gte, lt: rangeOf(keys.whole(space.change)).lt })) {
      for (const { key, value } of batch) {
        const { timestamp, changes } = decodeChanges(value);
        if (timestamp > horizon || found.length >= deletesMax) return next && { keys: found, next };
        for (const { operation, collectionId, uuid, previousVersion } of changes) {
          if (uuid === undefined || previousVersion === undefined) continue;
          const record = keys.record(collectionId, tokenOf(uuid), uuid);
          found.push(keys.history(record, previousVersion));
          if (operation === 'remove') found.push(keys.history(record, timestamp));
        }
        next = { ...this.#retained, historyIndex: indexOf(key), historyStart: timestamp };
      }
    }
    return next && { keys: found, next };
  }

  async #trimChanges(): Promise<void> {
    const { retention, keys, views } = this.#context;
    const byCount = views.current.index - retention.changesMax;
    const byAge = await this.#lastChangeBefore(this.#ago(retention.changesMs));
    const trimmedIndex = Math.max(byCount, byAge);
    if (trimmedIndex <= this.#retained.trimmedIndex) return;
    await this.#commit({ ...this.#retained, trimmedIndex }, (command) => {
      const last = Math.min(trimmedIndex, this.#retained.historyIndex);
      command.deleteRange(keys.change(0), keys.change(last + 1));
    });
  }

  async #lastChangeBefore(horizon: Timestamp): Promise<number> {
    const { engine, keys } = this.#context;
    const gte = keys.change(this.#retained.trimmedIndex + 1);
    let last = 0;
    for await (const batch of engine.scan({ gte, lt: rangeOf(keys.whole(space.change)).lt })) {
      for (const { key, value } of batch) {
        if (decodeChanges(value).timestamp > horizon) return last;
        last = indexOf(key);
      }
    }
    return last;
  }

  async #forgetAnswers(): Promise<void> {
    const { engine, keys, clock, views } = this.#context;
    const view = views.hold();
    try {
      const gte = keys.answerExpiry(0n, new Uint8Array(0));
      const lt = keys.answerExpiry(clock.now(), new Uint8Array(0));
      const snapshot = view.snapshot();
      for await (const batch of engine.scan({ gte, lt }, { snapshot, batchEntries: deletesMax })) {
        const names = batch.map(({ key }) => key.subarray(gte.length));
        const answers = await engine.multiGet(
          names.map((name) => keys.answer(name)),
          { snapshot },
        );
        // A key used again after its answer expired has a newer answer.
        const dead = names.filter((_, i) => {
          const answer = answers[i];
          return answer !== undefined && decodeAnswer(answer).expires <= clock.now();
        });
        await this.#deleteAnswers(
          view.index,
          batch.map(({ key }) => key),
          dead,
        );
      }
    } finally {
      views.release(view);
    }
  }

  async #deleteAnswers(
    seenIndex: number,
    expiries: readonly Uint8Array[],
    names: readonly Uint8Array[],
  ): Promise<void> {
    const { keys, recent, pipeline } = this.#context;
    const form = (timestamp: Timestamp): Formed => {
      const command = new CommandWriter(timestamp, 256 * expiries.length);
      const answers = names
        .map((name) => keys.answer(name))
        .filter((key) => !recent.changedSince(keyText(key), seenIndex));
      for (const key of [...expiries, ...answers]) command.delete(key);
      return { command: command.finish(), written: answers.map((key) => ({ text: keyText(key) })) };
    };
    await pipeline.submit({ form, sizeHint: 256 * expiries.length });
  }

  async #commit(next: Retained, write: (command: CommandWriter) => void): Promise<void> {
    const { keys, pipeline } = this.#context;
    const form = (timestamp: Timestamp): Formed => {
      const command = new CommandWriter(timestamp, 64 * deletesMax);
      write(command);
      command.put(keys.meta(metaName.retention), encodeRetained(next));
      return { command: command.finish(), written: [], applied: () => (this.#retained = next) };
    };
    await pipeline.submit({ form, sizeHint: 64 * deletesMax });
  }
}

function indexOf(changeKey: Uint8Array): number {
  return getU53(changeKey, 5);
}
