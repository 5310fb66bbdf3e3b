/** Items handed to the test in one shrinking, at most: many tries of few items, or few of many. */
const ITEMS_MAX = 200_000;

/**
 * Leaves out groups of items while `isStillFailing` holds for the rest: halves first, then quarters
 * and so on (Zeller's ddmin, by complements). Groups come in tiers, of which the first is tried first.
 * They are asked for anew after each, since what can go may depend on what is left.
 */
export function shrink<Item>(
  items: readonly Item[],
  tiersOf: (items: readonly Item[]) => readonly (readonly (readonly Item[])[])[],
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
  const removeAll = (): boolean => {
    const sizeBefore = left.length;
    const tierCount = tiersOf(left).length;
    for (let tier = 0; tier < tierCount; tier++) removeFrom(tiersOf(left)[tier] ?? [], without);
    return left.length < sizeBefore;
  };
  while (removeAll()) continue;
  return left;
}

/** Each group is tried, together with others first. */
function removeFrom<Group>(
  groups: readonly Group[],
  without: (groups: readonly Group[]) => boolean,
): void {
  for (let size = groups.length; size >= 1; size = Math.floor(size / 2)) {
    let rest: readonly Group[] = groups;
    for (let at = 0; at < rest.length;) {
      const chunk = rest.slice(at, at + size);
      if (without(chunk)) {
        rest = [...rest.slice(0, at), ...rest.slice(at + size)];
      } else at += size;
    }
    groups = rest;
  }
}
