/** Rare paths that the runs of a set should go through. */
export class Marks {
  readonly #counts = new Map<string, number>();

  hit(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  names(): string[] {
    return [...this.#counts.keys()].sort();
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
