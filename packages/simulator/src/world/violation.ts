/** Something that must never happen, and did. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** Which promise was broken; the same for every breach of it. */
  readonly invariant: string;

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

/** The first violation of a run ends it. */
export class Violations {
  #first: Violation | undefined;
  #report: (violation: Violation) => void = () => {};
  readonly found: Promise<never>;

  constructor() {
    this.found = new Promise((_, reject) => {
      this.#report = reject;
    });
    this.found.catch(() => undefined);
  }

  get first(): Violation | undefined {
    return this.#first;
  }

  report(invariant: string, what: string): void {
    if (this.#first !== undefined) return;
    this.#first = new Violation(invariant, what);
    this.#report(this.#first);
  }

  check(condition: boolean, invariant: string, what: () => string): void {
    if (!condition) this.report(invariant, what());
  }
}
