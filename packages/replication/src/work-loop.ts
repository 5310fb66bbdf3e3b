export interface WorkLoopParts<Item> {
  readonly isStopped: () => boolean;
  readonly run: (batch: readonly Item[]) => Promise<void>;
  readonly done: (batch: readonly Item[]) => void;
  /** Ends the loop; what waits is dropped with it. */
  readonly failed: (error: unknown) => void;
}

/** One piece of work at a time, each on all that has gathered meanwhile. */
export class WorkLoop<Item> {
  readonly #parts: WorkLoopParts<Item>;
  #queue: Item[] = [];
  #running: Promise<void> | undefined;

  constructor(parts: WorkLoopParts<Item>) {
    this.#parts = parts;
  }

  push(item: Item): void {
    this.#queue.push(item);
  }

  start(): void {
    if (this.#queue.length > 0) this.#running ??= this.#loop();
  }

  /** Until what is under way is done. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { isStopped, run, done, failed } = this.#parts;
    while (this.#queue.length > 0 && !isStopped()) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await run(batch);
      } catch (error) {
        failed(error);
        break;
      }
      done(batch);
    }
    this.#running = undefined;
  }
}
