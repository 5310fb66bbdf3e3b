/**
 * Mutants that no test can tell from the original, by their key, each with the reason. A key that no
 * longer names a mutant fails the run, so that the list stays true.
 */
export const EQUIVALENT: Readonly<Record<string, string>> = {};
