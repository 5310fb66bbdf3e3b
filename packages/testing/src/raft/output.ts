import type { LogLevel, RaftLogger } from '@themisdb/raft';

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal', 'none'] as const;
type Level = (typeof LEVELS)[number];

/**
 * What a script's commands print: their own text and the core's log lines, in order. Level `none`
 * silences both.
 */
export class ScriptOutput implements RaftLogger {
  #text = '';
  #level: Level = 'debug';

  get text(): string {
    return this.#text;
  }

  get level(): string {
    return this.#level;
  }

  get isQuiet(): boolean {
    return this.#level === 'none';
  }

  clear(): void {
    this.#text = '';
  }

  /** False for a level that does not exist. */
  setLevel(name: string): boolean {
    const level = LEVELS.find((candidate) => candidate === name.toLowerCase());
    if (level !== undefined) this.#level = level;
    return level !== undefined;
  }

  log(level: LogLevel, text: string): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#level)) return;
    this.#text += `${level.toUpperCase()} ${text}\n`;
  }

  write(text: string): void {
    if (!this.isQuiet) this.#text += text;
  }

  writeLine(text: string): void {
    this.write(`${text}\n`);
  }

  /** Whatever `run` prints stands two columns further in. */
  indented(run: () => void): void {
    const before = this.#text;
    this.#text = '';
    run();
    const lines = this.#text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    this.#text = before + lines.map((line) => `  ${line}\n`).join('');
  }
}
