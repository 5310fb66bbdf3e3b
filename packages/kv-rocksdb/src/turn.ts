/**
 * Runs at the end of this turn of the event loop, after everything that arrived together was looked
 * at: the requests of many sockets are callbacks of their own within one turn, and what they ask for
 * belongs into one native call. A native call costs tens of microseconds, most of it for waking a
 * thread, so one for all doubles what a server answers. nextTick would run between the callbacks.
 */
export function atEndOfTurn(run: () => void): void {
  setImmediate(run);
}
