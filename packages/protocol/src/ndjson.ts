import type { Value } from '@themisdb/base';
import { themisError } from './errors.ts';
import { decodeUtf8, JsonParser, type JsonLimits } from './json.ts';

/** One line: its value, or the ThemisError that says why it has none. Blank lines are not reported. */
export type NdjsonLine =
  | { readonly line: number; readonly value: Value }
  | { readonly line: number; readonly error: unknown };

/**
 * Newline-delimited JSON from chunks of bytes, however they are cut. `push` returns the lines a chunk
 * completed, `finish` what stands behind the last newline. Lines count from 1. A bad line is reported
 * and skipped; positions in its error count from its start. After a line longer than `lineBytesMax`
 * the next call throws LIMIT_EXCEEDED, since nothing bounds what would follow. Chunks are not kept beyond the call that
 * completes them, but may be kept until then.
 */
export class NdjsonReader {
  readonly #parser: JsonParser;
  readonly #lineBytesMax: number;
  /** Chunks without a newline since the last complete line. */
  #open: Uint8Array[] = [];
  #openBytes = 0;
  #line = 0;

  constructor(options: { readonly lineBytesMax: number; readonly limits?: Partial<JsonLimits> }) {
    this.#lineBytesMax = options.lineBytesMax;
    this.#parser = new JsonParser(options.limits);
  }

  push(chunk: Uint8Array): NdjsonLine[] {
    this.#checkOpenLine();
    const last = chunk.lastIndexOf(newline);
    if (last === -1) {
      this.#keep(chunk);
      return [];
    }
    const block = this.#take(chunk.subarray(0, last + 1));
    if (last + 1 < chunk.length) this.#keep(chunk.subarray(last + 1));
    return this.#parseBlock(block);
  }

  finish(): NdjsonLine[] {
    this.#checkOpenLine();
    return this.#parseBlock(this.#take(new Uint8Array(0)));
  }

  #keep(bytes: Uint8Array): void {
    this.#open.push(bytes);
    this.#openBytes += bytes.length;
  }

  #checkOpenLine(): void {
    if (this.#openBytes <= this.#lineBytesMax) return;
    throw themisError('LIMIT_EXCEEDED', {
      message: `line ${this.#line + 1} is longer than ${this.#lineBytesMax} bytes`,
      details: { limit: 'line', max: this.#lineBytesMax, line: this.#line + 1 },
    });
  }

  /** What was kept, then `tail`, as one piece. */
  #take(tail: Uint8Array): Uint8Array {
    if (this.#open.length === 0) return tail;
    const block = new Uint8Array(this.#openBytes + tail.length);
    let at = 0;
    for (const part of this.#open) {
      block.set(part, at);
      at += part.length;
    }
    block.set(tail, at);
    this.#open = [];
    this.#openBytes = 0;
    return block;
  }

  /** Decodes all lines at once; only when a byte is bad, line by line, to find whose it is. */
  #parseBlock(block: Uint8Array): NdjsonLine[] {
    const out: NdjsonLine[] = [];
    let text: string;
    try {
      text = decodeUtf8(block);
    } catch {
      for (const bytes of splitLines(block)) this.#parseBytes(bytes, out);
      return out;
    }
    let start = 0;
    while (start < text.length) {
      let end = text.indexOf('\n', start);
      if (end === -1) end = text.length;
      this.#parseLine(text, start, end, out);
      start = end + 1;
    }
    return out;
  }

  #parseBytes(bytes: Uint8Array, out: NdjsonLine[]): void {
    try {
      const text = decodeUtf8(bytes);
      this.#parseLine(text, 0, text.length, out);
    } catch (error) {
      out.push({ line: ++this.#line, error });
    }
  }

  #parseLine(text: string, start: number, end: number, out: NdjsonLine[]): void {
    const line = ++this.#line;
    if (isBlank(text, start, end)) return;
    try {
      out.push({ line, value: this.#parser.parse(text, start, end) });
    } catch (error) {
      out.push({ line, error });
    }
  }
}

const newline = 0x0a;

function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0d && code !== 0x09) return false;
  }
  return true;
}

function* splitLines(block: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  while (start < block.length) {
    let end = block.indexOf(newline, start);
    if (end === -1) end = block.length;
    yield block.subarray(start, end);
    start = end + 1;
  }
}
