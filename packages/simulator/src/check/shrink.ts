/** Items handed to the test in one shrinking, at most: many tries of few items, or few of many. */
const ITEMS_MAX = 500_000;

/**
 * Leaves out groups of items while `isStillFailing` holds for the rest: halves first, then quarters
 * and so on (Zeller's ddmin, by complements). Groups are asked for anew after each round, since what
 * can go may depend on what is left.
 */
export function shrink<Item>(
  items: readonly Item[],
  groupsOf: (items: readonly Item[]) => readonly (readonly Item[])[],
  isStillFailing: (items: readonly Item[]) => boolean,
): readonly Item[] {
  let left = items;
  let itemsTried = 0;
  const without = (groups: readonly (readonly Item[])[]): boolean => {
    if (itemsTried >= ITEMS_MAX) return false;
    const gone = new Set(groups.flat());
    const rest = left.filter((item) => !gone.has(item));
    if (rest.length === left.length) return false;
    itemsTried += rest.length;
    if (!isStillFailing(rest)) return false;
    left = rest;
    return true;
  };
  for (let hasChanged = true; hasChanged;) {
    hasChanged = removeFrom(groupsOf(left), without);
  }
  return left;
}

/** Each group is tried, together with others first. */
function removeFrom<Group>(
  groups: readonly Group[],
  without: (groups: readonly Group[]) => boolean,
): boolean {
  let hasChanged = false;
  for (let size = groups.length; size >= 1; size = Math.floor(size / 2)) {
    let rest: readonly Group[] = groups;
    for (let at = 0; at < rest.length;) {
      const chunk = rest.slice(at, at + size);
      if (without(chunk)) {
        rest = [...rest.slice(0, at), ...rest.slice(at + size)];
        hasChanged = true;
      } else at += size;
    }
    groups = rest;
  }
  return hasChanged;
}
