import type { ListValue } from '../list-append/transaction.ts';

interface Version {
  readonly time: number;
  readonly values: readonly ListValue[];
}

/** Lists that can be read as they were at any time. */
export class VersionedLists {
  readonly #versions = new Map<string, Version[]>();

  /** The list at `time`, or as many versions before. */
  at(key: string, time: number, back = 0): readonly ListValue[] {
    const past = this.#of(key).filter((version) => version.time <= time);
    return past.at(-1 - back)?.values ?? [];
  }

  changedAfter(key: string, time: number): boolean {
    return (this.#of(key).at(-1)?.time ?? -Infinity) > time;
  }

  /** Times go up. */
  set(key: string, time: number, values: readonly ListValue[]): void {
    this.#versions.set(key, [...this.#of(key), { time, values }]);
  }

  #of(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }
}
