/**
 * The candidate that `given` was most likely meant to be, or `undefined` when none is near. Nearness
 * is the Damerau-Levenshtein distance (optimal string alignment: insertion, deletion, substitution,
 * swap of neighbours), case ignored; a third of the length, at least 1, at most 3, may be wrong.
 * Ties go to the earlier candidate. An exact match (case included) is returned as it is.
 */
export function suggest(given: string, candidates: Iterable<string>): string | undefined {
  if (given.length === 0 || given.length > lengthMax) return undefined;
  const wanted = given.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.max(1, Math.floor(given.length / 3))) + 1;
  for (const candidate of candidates) {
    if (candidate === given) return candidate;
    if (Math.abs(candidate.length - given.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

const lengthMax = 100;

/** Optimal string alignment distance, or some number >= `limit` when it is not below `limit`. */
export function editDistance(a: string, b: string, limit: number = Infinity): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let smallest = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let cost = Math.min(last[j - 1]! + (same ? 0 : 1), last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
      smallest = Math.min(smallest, cost);
    }
    if (smallest >= limit && Math.min(...last) >= limit) return limit;
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
