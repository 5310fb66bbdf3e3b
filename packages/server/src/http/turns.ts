/** Lets those who name the same thing in one after the other, in the order they came. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when it is the caller's turn; he calls what it resolves to when he is done. */
  async enter(name: string): Promise<() => void> {
    const before = this.#last.get(name);
    let leave!: () => void;
    const own = new Promise<void>((resolve) => (leave = resolve));
    this.#last.set(name, own);
    if (before !== undefined) await before;
    return () => {
      if (this.#last.get(name) === own) this.#last.delete(name);
      leave();
    };
  }

  /** Names someone has the turn for. */
  get size(): number {
    return this.#last.size;
  }
}
