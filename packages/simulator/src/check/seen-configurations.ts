/**
 * Lowe's memoisation with one step more. A configuration is a state, the completed operations that
 * were placed, and the operations of unknown outcome that were used up. Of two that are equal but for
 * the latter, the one that used fewer can do all that the other can, since unused ones stay available
 * for ever; so only the smallest sets are kept. Without this, each operation of unknown outcome would
 * double the number of configurations.
 */
export class SeenConfigurations {
  readonly #smallest = new Map<string, readonly number[][]>();

  /** False if nothing new can come of this configuration. `used` is sorted, and copied if kept. */
  add(key: string, used: readonly number[]): boolean {
    const known = this.#smallest.get(key);
    if (known === undefined) {
      this.#smallest.set(key, [[...used]]);
      return true;
    }
    if (known.some((set) => isSubset(set, used))) return false;
    const rest = known.filter((set) => !isSubset(used, set));
    this.#smallest.set(key, [...rest, [...used]]);
    return true;
  }
}

/** Both sorted, without repetition. */
function isSubset(part: readonly number[], whole: readonly number[]): boolean {
  if (part.length > whole.length) return false;
  let at = 0;
  for (const item of part) {
    while (at < whole.length && whole[at]! < item) at++;
    if (whole[at] !== item) return false;
    at++;
  }
  return true;
}
