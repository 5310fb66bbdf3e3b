/**
 * Where calls go. One endpoint is used until it fails, then the next. Writes go to the endpoint that the
 * answers name as the leader's, when it is one of ours: that saves a hop. Any other works as well.
 */
export class Endpoints {
  readonly #origins: readonly string[];
  readonly #spreadReads: boolean;
  #current = 0;
  #turn = 0;
  #leader: string | undefined;

  constructor(origins: readonly string[], { spreadReads }: { readonly spreadReads: boolean }) {
    this.#origins = origins;
    this.#spreadReads = spreadReads;
  }

  get count(): number {
    return this.#origins.length;
  }

  pick({ isWrite }: { readonly isWrite: boolean }): string {
    if (isWrite && this.#leader !== undefined) return this.#leader;
    const at = this.#spreadReads && !isWrite ? this.#turn++ : this.#current;
    return this.#origins[at % this.#origins.length]!;
  }

  /** It did not answer, or cannot serve: others are tried first from now on. */
  failed(origin: string): void {
    if (this.#leader === origin) this.#leader = undefined;
    if (this.#origins[this.#current] === origin) {
      this.#current = (this.#current + 1) % this.#origins.length;
    }
  }

  /** An answer from `origin` named this address as the leader's. */
  heard(leaderUrl: string | undefined): void {
    if (leaderUrl === undefined || leaderUrl === this.#leader) return;
    if (this.#origins.length > 1 && this.#origins.includes(leaderUrl)) this.#leader = leaderUrl;
  }
}
