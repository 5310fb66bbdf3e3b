import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TimerHandle, Timers } from '@themisdb/base';

// setTimeout fires at once for longer delays than this (2^31 - 1 ms, Node.js manual, "Timers").
const delayMaxMs = 0x7fff_ffff;

/** Timers that do not keep the process alive. */
export const nodeTimers: Timers = {
  after,
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        timer.cancel();
        reject(signal!.reason);
      };
      const timer = after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
  yield: () => nextTurn(),
};

function after(delayMs: number, run: () => void): TimerHandle {
  const deadline = performance.now() + delayMs;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = deadline - performance.now();
    // libuv's clock has whole milliseconds, so a timer may fire a fraction early: wait for the rest.
    if (left <= 0) return run();
    timer = setTimeout(arm, Math.min(Math.ceil(left), delayMaxMs)).unref();
  };
  timer = setTimeout(arm, Math.min(Math.max(Math.ceil(delayMs), 0), delayMaxMs)).unref();
  return { cancel: () => clearTimeout(timer) };
}
