import { encodeFrame, frameBytes, viewOf, type FrameFields } from './format.ts';
import type { Segment } from './segment.ts';

// Larger buffers than this are made for one batch and given back.
const keptBytes: number = 4 * 1024 * 1024;

/** Lays frames out one after the other, in a buffer that is used again for the next batch. */
export class BatchWriter {
  #buffer: Uint8Array = new Uint8Array(64 * 1024);
  #view: DataView = viewOf(this.#buffer);

  /** The bytes of a batch at the segment's end; good until the next call. */
  encode(frames: readonly FrameFields[], bytes: number, segment: Segment): Uint8Array {
    const { buffer, view } = this.#room(bytes);
    const { salt, end: batchStart } = segment;
    let at = 0;
    for (const frame of frames) {
      encodeFrame(buffer, view, at, frame, { salt, fileOffset: batchStart + at, batchStart });
      at += frameBytes(frame.payload.length);
    }
    return buffer.subarray(0, at);
  }

  #room(bytes: number): { readonly buffer: Uint8Array; readonly view: DataView } {
    if (bytes > keptBytes) {
      const buffer = new Uint8Array(bytes);
      return { buffer, view: viewOf(buffer) };
    }
    if (bytes > this.#buffer.length) {
      this.#buffer = new Uint8Array(Math.min(keptBytes, 2 * bytes));
      this.#view = viewOf(this.#buffer);
    }
    return { buffer: this.#buffer, view: this.#view };
  }
}
