import {
  compareBytes,
  concatBytes,
  equalBytes,
  InvariantError,
  toHex,
  type Prng,
} from '@themisdb/base';
import type {
  KvBatch,
  KvEngine,
  KvEntry,
  KvOperation,
  KvRange,
  KvSnapshot,
  KvWrite,
} from '@themisdb/kv';

/** The dumb version: entries in order, every question answered by looking at all of them. */
class Model {
  entries: KvEntry[] = [];

  apply(operation: KvOperation): void {
    const isHit = (key: Uint8Array): boolean =>
      operation.type === 'deleteRange'
        ? compareBytes(key, operation.gte) >= 0 && compareBytes(key, operation.lt) < 0
        : equalBytes(key, operation.key);
    this.entries = this.entries.filter(({ key }) => !isHit(key));
    if (operation.type !== 'put') return;
    this.entries.push({ key: operation.key, value: operation.value });
    this.entries.sort((a, b) => compareBytes(a.key, b.key));
  }

  get(wanted: Uint8Array): Uint8Array | undefined {
    return this.entries.find(({ key }) => equalBytes(key, wanted))?.value;
  }

  scan({ gte, lt }: KvRange, reverse: boolean, limit: number): KvEntry[] {
    const found = this.entries.filter(
      ({ key }) =>
        (gte === undefined || compareBytes(key, gte) >= 0) &&
        (lt === undefined || compareBytes(key, lt) < 0),
    );
    return (reverse ? found.reverse() : found).slice(0, limit);
  }

  copy(): Model {
    const copy = new Model();
    copy.entries = this.entries;
    return copy;
  }
}

/**
 * Random operations on `engine` and on a sorted array, every answer compared. Keys are short and of
 * few different bytes, among them 00 and ff, so that they collide and prefix each other. Writes are
 * sometimes left unawaited until the next read, so that their order is at stake. Throws on the first
 * difference, naming the step.
 */
export async function runKvModelCheck(engine: KvEngine, prng: Prng, steps: number): Promise<void> {
  const run = new Run(engine, prng);
  for (let step = 0; step < steps; step++) {
    try {
      await run.step();
    } catch (error) {
      throw new Error(`step ${step}: ${String(error)}`, { cause: error });
    }
  }
  await run.end();
}

interface Held {
  readonly snapshot: KvSnapshot;
  readonly model: Model;
}

const keyBytes = [0x00, 0x01, 0x61, 0x62, 0x7f, 0x80, 0xfe, 0xff] as const;

class Run {
  readonly #engine: KvEngine;
  readonly #prng: Prng;
  readonly #model = new Model();
  readonly #held: Held[] = [];
  #writes: Promise<void>[] = [];

  constructor(engine: KvEngine, prng: Prng) {
    this.#engine = engine;
    this.#prng = prng;
  }

  step(): Promise<void> {
    const dice = this.#prng.below(1000);
    if (dice < 400) return this.#write();
    if (dice < 550) return this.#gets();
    if (dice < 850) return this.#scan();
    if (dice < 900) return this.#hold();
    if (dice < 960) return this.#letGo();
    if (dice < 985) return this.#sideBySide();
    return dice < 998 ? this.#settled(() => this.#engine.flush()) : this.#compact();
  }

  async end(): Promise<void> {
    while (this.#held.length > 0) await this.#letGo();
    await this.#compare(() => this.#scanOnce({}, this.#model, undefined));
  }

  async #write(): Promise<void> {
    const batch = Array.from({ length: this.#prng.below(7) }, () => this.#operation());
    const given = this.#prng.chance(0.5) ? batch : packed(batch);
    this.#writes.push(this.#engine.write(given));
    for (const operation of batch) this.#model.apply(operation);
    if (this.#prng.chance(0.6)) await this.#settled(async () => {});
  }

  async #gets(): Promise<void> {
    const view = this.#view();
    const keys = Array.from({ length: this.#prng.below(6) }, () => this.#key());
    await this.#compare(async () => {
      const options = { snapshot: view.snapshot };
      const values = this.#prng.chance(0.5)
        ? await this.#engine.multiGet(keys, options)
        : await Promise.all(keys.map((key) => this.#engine.get(key, options)));
      same(
        values.map(show),
        keys.map((key) => show(view.model.get(key))),
      );
    });
  }

  async #scan(): Promise<void> {
    const view = this.#view();
    const range = this.#range();
    await this.#compare(() => this.#scanOnce(range, view.model, view.snapshot));
  }

  async #scanOnce(range: KvRange, model: Model, snapshot: KvSnapshot | undefined): Promise<void> {
    const prng = this.#prng;
    const reverse = prng.chance(0.4);
    const keysOnly = prng.chance(0.2);
    const limit = prng.chance(0.5) ? prng.below(12) : undefined;
    const batchEntries = prng.chance(0.7) ? prng.between(1, 9) : undefined;
    const leaveAfter = prng.chance(0.2) ? prng.between(1, 2) : Infinity;
    const seen: KvEntry[] = [];
    let batches = 0;
    const options = { reverse, keysOnly, limit, batchEntries, snapshot };
    for await (const batch of this.#engine.scan(range, options)) {
      if (batch.length === 0) throw new InvariantError('an empty batch');
      seen.push(...batch);
      if (++batches >= leaveAfter) break;
    }
    const left = batches >= leaveAfter ? seen.length : Infinity;
    const expected = model.scan(range, reverse, Math.min(limit ?? Infinity, left));
    same(
      seen.map((entry) => `${show(entry.key)}=${show(entry.value)}`),
      expected.map(({ key, value }) => `${show(key)}=${keysOnly ? '' : show(value)}`),
    );
  }

  /** Several reads at once, on different views. */
  async #sideBySide(): Promise<void> {
    await this.#compare(async () => {
      const scans = Array.from({ length: 4 }, () => {
        const view = this.#view();
        return this.#scanOnce(this.#range(), view.model, view.snapshot);
      });
      await Promise.all(scans);
    });
  }

  async #hold(): Promise<void> {
    if (this.#held.length >= 4) return;
    await this.#settled(async () => {
      this.#held.push({ snapshot: this.#engine.snapshot(), model: this.#model.copy() });
    });
  }

  async #letGo(): Promise<void> {
    if (this.#held.length === 0) return;
    const [held] = this.#held.splice(this.#prng.below(this.#held.length), 1);
    held!.snapshot.release();
  }

  async #compact(): Promise<void> {
    await this.#settled(() => this.#engine.compact(this.#prng.chance(0.5) ? this.#range() : {}));
  }

  #compare(read: () => Promise<void>): Promise<void> {
    return this.#settled(read);
  }

  async #settled(next: () => Promise<void>): Promise<void> {
    const writes = this.#writes;
    this.#writes = [];
    await Promise.all(writes);
    await next();
  }

  #view(): { readonly snapshot: KvSnapshot | undefined; readonly model: Model } {
    if (this.#held.length === 0 || this.#prng.chance(0.6)) {
      return { snapshot: undefined, model: this.#model };
    }
    return this.#prng.pick(this.#held);
  }

  #operation(): KvOperation {
    const dice = this.#prng.below(100);
    if (dice < 70) return { type: 'put', key: this.#key(), value: this.#value() };
    if (dice < 92) return { type: 'delete', key: this.#key() };
    return { type: 'deleteRange', gte: this.#key(), lt: this.#key() };
  }

  #range(): KvRange {
    const gte = this.#prng.chance(0.7) ? this.#key() : undefined;
    const lt = this.#prng.chance(0.7) ? this.#key() : undefined;
    return { gte, lt };
  }

  #key(): Uint8Array {
    const length = this.#prng.below(4);
    const key = Uint8Array.from({ length }, () => this.#prng.pick(keyBytes));
    return this.#prng.chance(0.02) ? concatBytes(key, new Uint8Array(300).fill(0xff)) : key;
  }

  #value(): Uint8Array {
    const length = this.#prng.chance(0.03) ? 10_000 : this.#prng.below(12);
    return new Uint8Array(length).fill(this.#prng.below(256));
  }
}

/** The same batch with puts that follow each other in one piece. */
function packed(batch: readonly KvOperation[]): KvBatch {
  const out: KvWrite[] = [];
  let pieces: Uint8Array[] = [];
  const places: number[] = [];
  const pack = (): void => {
    if (pieces.length === 0) return;
    const bytes = concatBytes(...pieces);
    out.push({ type: 'puts', bytes, places: Uint32Array.from(places.splice(0)) });
    pieces = [];
  };
  let at = 0;
  for (const operation of batch) {
    if (operation.type === 'put') {
      if (pieces.length === 0) at = 0;
      const { key, value } = operation;
      places.push(at, at + key.length, at + key.length, at + key.length + value.length);
      at += key.length + value.length;
      pieces.push(key, value);
    } else {
      pack();
      out.push(operation);
    }
  }
  pack();
  return out;
}

/** Short enough to read, exact enough to tell values apart. */
function show(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return '-';
  return bytes.length <= 16
    ? toHex(bytes)
    : `${toHex(bytes.subarray(0, 8))}..${bytes.length}..${toHex(bytes.subarray(-1))}`;
}

function same(actual: readonly string[], expected: readonly string[]): void {
  const a = actual.join(' ');
  const b = expected.join(' ');
  if (a !== b) throw new InvariantError(`\n  answer   ${a}\n  expected ${b}`);
}
