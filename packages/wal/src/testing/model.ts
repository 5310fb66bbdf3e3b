import { crc32c } from '@themisdb/base';
import type { Wal, WalRecord } from '../contract.ts';

/** One thing that can survive a crash without the next: a record, or a truncation. */
export type Step =
  | { readonly type: 'record'; readonly record: WalRecord }
  | { readonly type: 'truncate'; readonly group: number; readonly index: number };

/** What a log must hold after some steps: the plain form of its contract. */
export class Model {
  readonly groups: Map<number, Map<number, string>> = new Map();

  apply(step: Step): void {
    if (step.type === 'truncate') this.#truncate(step.group, step.index);
    else this.#append(step.record);
  }

  bounds(group: number): { readonly first: number; readonly last: number } | undefined {
    const indexes = [...(this.groups.get(group)?.keys() ?? [])];
    if (indexes.length === 0) return undefined;
    return { first: Math.min(...indexes), last: Math.max(...indexes) };
  }

  clone(): Model {
    const copy = new Model();
    for (const [group, records] of this.groups) copy.groups.set(group, new Map(records));
    return copy;
  }

  text(): string {
    const groups = [...this.groups].filter(([, records]) => records.size > 0);
    groups.sort(([a], [b]) => a - b);
    return JSON.stringify(groups.map(([group, records]) => [group, [...records]]));
  }

  #append(record: WalRecord): void {
    const records = this.groups.get(record.group) ?? new Map<number, string>();
    this.groups.set(record.group, records);
    for (const index of records.keys()) if (index >= record.index) records.delete(index);
    records.set(record.index, recordText(record));
  }

  #truncate(group: number, index: number): void {
    const records = this.groups.get(group);
    for (const other of records?.keys() ?? []) if (other < index) records!.delete(other);
  }
}

export function recordText({ term, kind, payload }: WalRecord): string {
  return `${term} ${kind} ${payload.length} ${crc32c(payload)}`;
}

/** What a log does hold, in the same form. Throws when a group's records do not follow each other. */
export async function readAll(wal: Wal): Promise<string> {
  const model = new Model();
  for (const group of wal.groups()) {
    const bounds = wal.bounds(group)!;
    let next = bounds.first;
    const records = new Map<number, string>();
    for await (const batch of wal.replay(group)) {
      for (const record of batch) {
        if (record.group !== group || record.index !== next++) {
          throw new Error(`group ${group}: ${record.group}/${record.index} instead of ${next - 1}`);
        }
        records.set(record.index, recordText(record));
      }
    }
    if (next !== bounds.last + 1) throw new Error(`group ${group} ends at ${next - 1}`);
    model.groups.set(group, records);
  }
  return model.text();
}
