import type { CommitPlace, Formed, Waiting } from './pipeline.ts';

/** A commit that has its place in the log. */
export interface Proposed extends Waiting, CommitPlace {
  readonly formed: Formed;
  /** Of its first entry; `index` is that of the last. */
  readonly firstIndex: number;
  readonly term: number;
}

/** Commits of this replica that are in the log and not yet applied, in log order. */
export class Proposals {
  #queue: Proposed[] = [];
  #head = 0;

  get isEmpty(): boolean {
    return this.#head === this.#queue.length;
  }

  add(proposed: readonly Proposed[]): void {
    for (const each of proposed) this.#queue.push(each);
  }

  /** The commit whose last entry this is. */
  take(entry: { readonly index: number; readonly term: number }): Proposed | undefined {
    const next = this.#queue[this.#head];
    if (next === undefined || next.index !== entry.index || next.term !== entry.term)
      return undefined;
    this.#head++;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return next;
  }

  /** Takes out those that end at `index` or before, in log order. */
  cutUpTo(index: number): Proposed[] {
    const all = this.#queue.slice(this.#head);
    this.#queue = all.filter((each) => each.index > index);
    this.#head = 0;
    return all.filter((each) => each.index <= index);
  }

  /** Takes out those that end behind `index`, in log order. */
  cutAfter(index: number): Proposed[] {
    const all = this.#queue.slice(this.#head);
    this.#queue = all.filter((each) => each.index <= index);
    this.#head = 0;
    return all.filter((each) => each.index > index);
  }
}
