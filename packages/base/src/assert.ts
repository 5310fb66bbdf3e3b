/**
 * Programmer errors. An `InvariantError` means the code is wrong, not the input: it is never caught
 * and turned into an answer; only the process edge sees it, logs it and exits. Crash beats corrupt.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Fails with `InvariantError` unless `condition` holds. The message is built only on failure. */
export function assert(condition: unknown, message?: string | (() => string)): asserts condition {
  if (condition) return;
  throw new InvariantError(
    typeof message === 'function' ? message() : (message ?? 'assertion failed'),
  );
}

/** Marks a branch the types say cannot be reached. */
export function unreachable(value: never, what = 'value'): never {
  throw new InvariantError(`unreachable ${what}: ${String(value)}`);
}

/** Costly checks run only while this is on: tests and the simulator switch it on. */
export const invariants: { enabled: boolean } = { enabled: false };

/** Told of what only a simulator looks at; see `probe`. */
export const probes: { listener: ((name: string, detail: unknown) => void) | undefined } = {
  listener: undefined,
};

/** Tells whoever listens of a rare path, or of what an invariant needs to see. Free otherwise. */
export function probe(name: string, detail?: unknown): void {
  probes.listener?.(name, detail);
}
