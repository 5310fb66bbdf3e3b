/**
 * Runs `run` when everything the current turn of the event loop still has to do is done: later than
 * promise continuations, sooner than input and output. What a turn asks for goes out together.
 */
export function atEndOfTurn(run: () => void): void {
  process.nextTick(run);
}
