import { EventEmitter } from 'node:events';

/** What happens to bytes on the way from one node to another. */
export interface Rule {
  isCut: boolean;
  delayMs: number;
}

/** The state of every direction between any two nodes; listeners hear of each change. */
export class Rules {
  readonly #rules: readonly (readonly Rule[])[];
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(nodes: number) {
    const row = (): Rule[] => Array.from({ length: nodes }, () => ({ isCut: false, delayMs: 0 }));
    this.#rules = Array.from({ length: nodes }, row);
  }

  between(from: number, to: number): Readonly<Rule> {
    return this.#rules[from]![to]!;
  }

  change(from: number, to: number, rule: Partial<Rule>): void {
    Object.assign(this.#rules[from]![to]!, rule);
    this.#changes.emit('change');
  }

  onChange(run: () => void): () => void {
    this.#changes.on('change', run);
    return () => void this.#changes.off('change', run);
  }
}
