import type { Value } from '@themisdb/base';
import type { Evaluate } from '../expression/contract.ts';
import type { Test } from './filter.ts';
import { estimateBytes } from './memory.ts';
import type { Batch, Batches, Operator, Row, Run } from './operator.ts';
import type { Reader, Source } from './scan.ts';
import { valueKey, valuesKey, type ValueKey } from './value-key.ts';

export interface HashJoinParts<Item> {
  readonly nodeId: number;
  /** The inner side; does not depend on outer rows. */
  readonly source: Source<Item>;
  readonly reader: Reader<Item>;
  /** Registers the reader fills. */
  readonly registers: readonly number[];
  /** Conditions on the inner side alone. */
  readonly buildTest: Test | undefined;
  readonly innerKeys: readonly Evaluate[];
  readonly outerKeys: readonly Evaluate[];
  /** Other conditions on joined rows. */
  readonly test: Test | undefined;
}

/**
 * FOR over a collection whose rows must equal outer values: the collection is read once per execution
 * into a hash table. Order as in a nested loop: by outer row, then as the inner side was read.
 */
export function makeHashJoin<Item>(parts: HashJoinParts<Item>): Operator {
  return { nodeId: parts.nodeId, open: (input, run) => joinRows(input, parts, run) };
}

/** By key, the values of the inner registers of each matching row, one after the other. */
type Table = ReadonlyMap<ValueKey, readonly Value[]>;

async function* joinRows<Item>(input: Batches, parts: HashJoinParts<Item>, run: Run): Batches {
  const { registers, outerKeys, test } = parts;
  const { context } = run;
  const width = registers.length;
  let out: Batch = [];
  for await (const batch of input) {
    const table = await run.shared(parts.nodeId, () => buildTable(batch[0]!.slice(), parts, run));
    for (const outer of batch) {
      const values = table.get(keyOf(outerKeys, outer, run));
      if (values === undefined) continue;
      for (let at = 0; at < values.length; at += width || 1) {
        const row = outer.slice();
        for (let i = 0; i < width; i++) row[registers[i]!] = values[at + i]!;
        if (test !== undefined && !test(row, context)) {
          run.counters.filtered++;
          continue;
        }
        out.push(row);
        if (out.length < run.batchRows) continue;
        if (run.checkpoint()) await run.pause();
        yield out;
        out = [];
      }
    }
    if (run.checkpoint()) await run.pause();
    if (out.length === 0) continue;
    yield out;
    out = [];
  }
}

async function buildTable<Item>(row: Row, parts: HashJoinParts<Item>, run: Run): Promise<Table> {
  const { registers, reader, buildTest, innerKeys } = parts;
  const table = new Map<ValueKey, Value[]>();
  for await (const items of parts.source.open(row, run, undefined)) {
    let bytes = 0;
    for (const item of items) {
      reader.early(item, row);
      if (buildTest !== undefined && !buildTest(row, run.context)) {
        run.counters.filtered++;
        continue;
      }
      reader.late(item, row);
      const key = keyOf(innerKeys, row, run);
      let values = table.get(key);
      if (values === undefined) {
        table.set(key, (values = []));
        bytes += 100 + estimateBytes(key);
      }
      // A row of no registers still counts: it matches.
      if (registers.length === 0) values.push(null);
      for (const register of registers) {
        values.push(row[register]!);
        bytes += 8 + estimateBytes(row[register]!);
      }
    }
    run.memory.charge(bytes);
    if (run.checkpoint()) await run.pause();
  }
  return table;
}

function keyOf(keys: readonly Evaluate[], row: Row, run: Run): ValueKey {
  if (keys.length === 1) return valueKey(keys[0]!(row, run.context));
  return valuesKey(keys.map((key) => key(row, run.context)));
}
