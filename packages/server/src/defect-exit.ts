/** Exit code of a process that found an invariant of its own broken; EX_SOFTWARE of sysexits. */
export const defectExitCode = 70;

/**
 * Ends the process at once. Nothing is written out: what was acknowledged is in the log, and what a
 * process that contradicts itself would still write is not to be trusted.
 */
export function exitForDefect(): never {
  process.exit(defectExitCode);
}
