/** One line on standard error that is redrawn on a terminal, and printed every few seconds off it. */
export interface ProgressSink {
  readonly isTerminal: boolean;
  write(text: string): void;
  nowMs(): number;
}

const redrawMs = 100;
const plainMs = 5_000;

export class Progress {
  readonly #sink: ProgressSink;
  readonly #what: string;
  readonly #startedMs: number;
  #lastMs = -Infinity;
  #count = 0;
  #fraction: number | undefined;

  constructor(sink: ProgressSink, what: string) {
    this.#sink = sink;
    this.#what = what;
    this.#startedMs = sink.nowMs();
  }

  /** `fraction` in [0, 1] when the size of the whole is known. */
  update(count: number, fraction?: number): void {
    this.#count = count;
    this.#fraction = fraction;
    const nowMs = this.#sink.nowMs();
    if (nowMs - this.#lastMs < (this.#sink.isTerminal ? redrawMs : plainMs)) return;
    this.#lastMs = nowMs;
    this.#draw(this.#line(nowMs));
  }

  /** Leaves the final line standing. */
  end(): void {
    const seconds = (this.#sink.nowMs() - this.#startedMs) / 1000;
    this.#draw(
      `${this.#count.toLocaleString('en')} ${this.#what} in ${seconds.toFixed(1)} s (${rate(this.#count, seconds)})`,
    );
    if (this.#sink.isTerminal) this.#sink.write('\n');
  }

  #line(nowMs: number): string {
    const seconds = (nowMs - this.#startedMs) / 1000;
    const parts = [`${this.#count.toLocaleString('en')} ${this.#what}`, rate(this.#count, seconds)];
    if (this.#fraction !== undefined) {
      parts.unshift(`${(100 * this.#fraction).toFixed(0).padStart(3)} %`);
      if (this.#fraction > 0.02) parts.push(`${eta(seconds, this.#fraction)} left`);
    }
    return parts.join(' · ');
  }

  #draw(line: string): void {
    this.#sink.write(this.#sink.isTerminal ? `\r\u001b[2K${line}` : `${line}\n`);
  }
}

function rate(count: number, seconds: number): string {
  return `${Math.round(count / Math.max(seconds, 0.001)).toLocaleString('en')}/s`;
}

function eta(seconds: number, fraction: number): string {
  const left = Math.ceil((seconds / fraction) * (1 - fraction));
  return left < 90 ? `${left} s` : `${Math.ceil(left / 60)} min`;
}
