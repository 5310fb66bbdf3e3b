import type { AttributePath, IndexInfo } from '@themisdb/storage';

/** Where the entries of an index hold an attribute. */
export interface Covered {
  readonly part: 'values' | 'stored';
  readonly position: number;
  /** Steps inside the value there. */
  readonly rest: readonly string[];
}

/** Where to find an attribute in the entries of an index; undefined when they do not hold it. */
export function coveredBy(index: IndexInfo, steps: readonly string[]): Covered | undefined {
  for (const [part, paths] of [
    ['values', index.paths],
    ['stored', index.storedPaths],
  ] as const) {
    const position = paths.findIndex((path) => isPrefix(path, steps));
    if (position >= 0) return { part, position, rest: steps.slice(paths[position]!.steps.length) };
  }
  return undefined;
}

function isPrefix(path: AttributePath, steps: readonly string[]): boolean {
  return (
    path.expandAfter === undefined &&
    path.steps.length > 0 &&
    path.steps.length <= steps.length &&
    path.steps.every((step, i) => step === steps[i])
  );
}
