import type { SendWindow } from './send-window.ts';

/**
 * Sends what `chunks` gives as fast as the window lets it, then resolves; stops early when the window
 * closes. Rejects with what `chunks` or `send` throws. Leaves `chunks` unless it ended by itself.
 */
export async function pump(
  chunks: AsyncIterable<Uint8Array>,
  window: SendWindow,
  send: (chunk: Uint8Array) => void,
): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  let hasEnded = false;
  try {
    for (;;) {
      await window.open();
      if (window.isClosed) return;
      hasEnded = true; // An iterator that throws has ended too.
      const result = await iterator.next();
      if (result.done === true) return;
      hasEnded = false;
      if (window.isClosed) return;
      window.take(result.value);
      send(result.value);
    }
  } finally {
    if (!hasEnded) await iterator.return?.();
  }
}
