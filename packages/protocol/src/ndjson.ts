import type { Value } from '@themisdb/base';
import { themisError } from './errors.ts';
import { decodeUtf8, JsonParser, type JsonLimits } from './json.ts';

/** One line: its value, or the ThemisError that says why it has none. Blank lines are not reported. */
export type NdjsonLine =
  | { readonly line: number; readonly value: Value }
  | { readonly line: number; readonly error: unknown };

/** Takes lines in order. */
export interface NdjsonSink {
  /** Offered before the line is parsed; true: it is dealt with. `bytes` is the reader's. */
  take?(line: number, bytes: Uint8Array, start: number, end: number): boolean;
  add(line: NdjsonLine): void;
}

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
    const out: NdjsonLine[] = [];
    this.pushTo({ add: (line) => out.push(line) }, chunk);
    return out;
  }

  finish(): NdjsonLine[] {
    const out: NdjsonLine[] = [];
    this.finishTo({ add: (line) => out.push(line) });
    return out;
  }

  /** `push` for a sink. */
  pushTo(sink: NdjsonSink, chunk: Uint8Array): void {
    this.#checkOpenLine();
    const last = chunk.lastIndexOf(newline);
    if (last === -1) {
      this.#keep(chunk);
      return;
    }
    const block = this.#take(chunk.subarray(0, last + 1));
    if (last + 1 < chunk.length) this.#keep(chunk.subarray(last + 1));
    this.#readBlock(block, sink);
  }

  finishTo(sink: NdjsonSink): void {
    this.#checkOpenLine();
    this.#readBlock(this.#take(new Uint8Array(0)), sink);
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

  #readBlock(block: Uint8Array, sink: NdjsonSink): void {
    if (sink.take === undefined) this.#parseBlock(block, sink);
    else
      for (let start = 0; start < block.length;) {
        let end = block.indexOf(newline, start);
        if (end === -1) end = block.length;
        if (sink.take(this.#line + 1, block, start, end)) this.#line++;
        else this.#parseBytes(block.subarray(start, end), sink);
        start = end + 1;
      }
  }

  /** Decodes all lines at once; only when a byte is bad, line by line, to find whose it is. */
  #parseBlock(block: Uint8Array, sink: NdjsonSink): void {
    let text: string;
    try {
      text = decodeUtf8(block);
    } catch {
      for (const bytes of splitLines(block)) this.#parseBytes(bytes, sink);
      return;
    }
    let start = 0;
    while (start < text.length) {
      let end = text.indexOf('\n', start);
      if (end === -1) end = text.length;
      this.#parseLine(text, start, end, sink);
      start = end + 1;
    }
  }

  #parseBytes(bytes: Uint8Array, sink: NdjsonSink): void {
    let text: string;
    try {
      text = decodeUtf8(bytes);
    } catch (error) {
      sink.add({ line: ++this.#line, error });
      return;
    }
    this.#parseLine(text, 0, text.length, sink);
  }

  #parseLine(text: string, start: number, end: number, sink: NdjsonSink): void {
    const line = ++this.#line;
    if (isBlank(text, start, end)) return;
    let value: Value;
    try {
      value = this.#parser.parse(text, start, end);
    } catch (error) {
      sink.add({ line, error });
      return;
    }
    sink.add({ line, value });
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
