/** Who waits for what others do before it is his turn. */
export interface Waiter {
  /** Rejects when he gives up. */
  wait<Result>(turn: Promise<Result>): Promise<Result>;
}

/** Lets those who name the same thing in one after the other, in the order they came. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Resolves when it is the caller's turn; he calls what it resolves to when he is done. Who gives up
   * waiting is passed over.
   */
  async enter(name: string, waiter: Waiter): Promise<() => void> {
    const before = this.#last.get(name);
    let end!: () => void;
    const own = new Promise<void>((resolve) => (end = resolve));
    this.#last.set(name, own);
    const leave = (): void => {
      if (this.#last.get(name) === own) this.#last.delete(name);
      end();
    };
    if (before === undefined) return leave;
    try {
      await waiter.wait(before);
    } catch (error) {
      void before.then(leave);
      throw error;
    }
    return leave;
  }

  /** Names someone has the turn for. */
  get size(): number {
    return this.#last.size;
  }
}
