import type { Socket } from 'node:net';
import type { Rule } from './rules.ts';

/** Runs something later; `setTimeout` but for tests. */
export type After = (delayMs: number, run: () => void) => void;

export interface PumpOptions {
  readonly source: Socket;
  readonly target: Socket;
  readonly rule: Readonly<Rule>;
  readonly after: After;
  readonly onBytes: (count: number) => void;
  /** The direction is closed, and the target heard of it. */
  readonly onOver: () => void;
}

/** Bytes, the end of the stream, or its breaking off. */
interface Piece {
  readonly content: Buffer | 'end' | 'broken';
  /** Its delay is over. */
  isDue: boolean;
}

/** The source is read no further while this much waits. */
const heldBytesMax = 256 * 1024;

/**
 * Carries one direction of a connection. While the direction is cut everything waits, in order, and
 * so does the news that the sender is gone: as with lost packets, which TCP sends again. Call
 * `flush` when the rule has changed.
 */
export class Pump {
  readonly #options: PumpOptions;
  readonly #waiting: Piece[] = [];
  #heldBytes = 0;

  constructor(options: PumpOptions) {
    this.#options = options;
    const { source, target } = options;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.on('end', () => this.#take('end'));
    source.on('close', () => this.#take('broken'));
    target.on('drain', () => this.#readOn());
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  flush(): void {
    const { rule } = this.#options;
    while (!rule.isCut && this.#waiting[0]?.isDue === true) this.#pass(this.#waiting.shift()!);
    this.#readOn();
  }

  #take(content: Piece['content']): void {
    const { rule, after, source } = this.#options;
    const piece: Piece = { content, isDue: rule.delayMs === 0 };
    this.#waiting.push(piece);
    if (typeof content !== 'string') this.#heldBytes += content.length;
    if (this.#heldBytes >= heldBytesMax) source.pause();
    if (piece.isDue) return this.flush();
    after(rule.delayMs, () => {
      piece.isDue = true;
      this.flush();
    });
  }

  #pass({ content }: Piece): void {
    const { target, source, onBytes, onOver } = this.#options;
    if (content === 'broken') {
      target.destroy();
      onOver();
    } else if (content === 'end') {
      target.end();
    } else {
      this.#heldBytes -= content.length;
      onBytes(content.length);
      if (!target.write(content)) source.pause();
    }
  }

  #readOn(): void {
    const { source, target } = this.#options;
    if (this.#heldBytes < heldBytesMax && !target.writableNeedDrain) source.resume();
  }
}
