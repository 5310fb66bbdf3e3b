import { compareValues, equalValues, type Value } from '@themisdb/base';
import type { Evaluate, EvaluationContext } from '../expression/contract.ts';
import type { Accumulator, AggregateFunction } from '../functions/index.ts';
import { rebatch } from './chain.ts';
import { estimateBytes } from './memory.ts';
import { MergeSorter } from './merge-sort.ts';
import type { Batches, Operator, Origin, Row, Run } from './operator.ts';
import { valueKey, valuesKey, type ValueKey } from './value-key.ts';

export interface CollectParts {
  readonly groups: readonly { readonly register: number; readonly value: Evaluate }[];
  readonly aggregates: readonly AggregateCode[];
  readonly into: { readonly register: number; readonly value: Evaluate } | undefined;
  readonly count: number | undefined;
  /** Give the groups in ascending order of their values. */
  readonly ordered: boolean;
}
export interface AggregateCode {
  readonly register: number;
  readonly value: Evaluate;
  readonly aggregate: AggregateFunction;
  /** Its memory must be watched. */
  readonly grows: boolean;
}

/** One group while rows come in. */
interface Group {
  readonly values: readonly Value[];
  readonly accumulators: readonly Accumulator[];
  readonly members: Value[];
  rows: number;
}

/** COLLECT with a table of groups; the input may come in any order. */
export function makeHashCollect(nodeId: number, parts: CollectParts): Operator {
  return { nodeId, open: (input, run, origin) => hashGroups(input, parts, run, origin) };
}

async function* hashGroups(input: Batches, parts: CollectParts, run: Run, origin: Origin): Batches {
  const table = new Map<ValueKey, Group>();
  const single = parts.groups.length === 1 ? parts.groups[0]!.value : undefined;
  const { context } = run;
  let charged = 0;
  const find = (row: Row): Group => {
    const values =
      single === undefined
        ? parts.groups.map((group) => group.value(row, context))
        : [single(row, context)];
    const key = single === undefined ? valuesKey(values) : valueKey(values[0]!);
    let group = table.get(key);
    if (group === undefined) {
      group = startGroup(values, parts);
      table.set(key, group);
      charged += groupBytes(group);
      run.memory.charge(groupBytes(group));
    }
    return group;
  };
  const whole = parts.groups.length === 0 ? startGroup([], parts) : undefined;
  try {
    for await (const batch of input) {
      let bytes = 0;
      for (const row of batch) bytes += addRow(row, whole ?? find(row), parts, context);
      charged += bytes;
      run.memory.charge(bytes);
    }
    const groups = whole === undefined ? await groupsOf(table, parts, run) : [whole];
    for (const batch of rebatch(groups, run)) {
      if (run.checkpoint()) await run.pause();
      yield batch.map((group) => finishGroup(group, parts, origin));
    }
  } finally {
    run.memory.release(charged);
  }
}

async function groupsOf(
  table: ReadonlyMap<ValueKey, Group>,
  { ordered }: CollectParts,
  run: Run,
): Promise<readonly Group[]> {
  if (!ordered) return [...table.values()];
  const sorter = new MergeSorter(byValues);
  for (const group of table.values()) sorter.add(group);
  return sorter.finish(run);
}

/** COLLECT over input that comes grouped: holds one group at a time. */
export function makeSortedCollect(nodeId: number, parts: CollectParts): Operator {
  return { nodeId, open: (input, run, origin) => sortedGroups(input, parts, run, origin) };
}

async function* sortedGroups(
  input: Batches,
  parts: CollectParts,
  run: Run,
  origin: Origin,
): Batches {
  const { context } = run;
  let current: Group | undefined;
  let charged = 0;
  let out: Row[] = [];
  try {
    for await (const batch of input) {
      for (const row of batch) {
        const values = parts.groups.map((group) => group.value(row, context));
        if (current === undefined || !values.every((v, i) => equalValues(v, current!.values[i]!))) {
          if (current !== undefined) out.push(finishGroup(current, parts, origin));
          run.memory.release(charged);
          charged = 0;
          current = startGroup(values, parts);
        }
        const bytes = addRow(row, current, parts, context);
        charged += bytes;
        run.memory.charge(bytes);
      }
      if (out.length === 0) continue;
      yield out;
      out = [];
    }
    if (current !== undefined) out.push(finishGroup(current, parts, origin));
    if (out.length > 0) yield out;
  } finally {
    run.memory.release(charged);
  }
}

/** COLLECT WITH COUNT INTO, without groups. */
export function makeCountCollect(nodeId: number, register: number): Operator {
  return { nodeId, open: (input, _run, origin) => countRows(input, register, origin) };
}

async function* countRows(input: Batches, register: number, origin: Origin): Batches {
  let count = 0;
  for await (const batch of input) count += batch.length;
  const row = origin.row.slice();
  row[register] = count;
  yield [row];
}

function startGroup(values: readonly Value[], { aggregates }: CollectParts): Group {
  const accumulators = aggregates.map(({ aggregate }) => aggregate.create());
  return { values, accumulators, members: [], rows: 0 };
}

/** Adds a row and returns the bytes the group grew by. */
function addRow(
  row: Row,
  group: Group,
  { aggregates, into }: CollectParts,
  context: EvaluationContext,
): number {
  let bytes = 0;
  group.rows++;
  for (let i = 0; i < aggregates.length; i++) {
    const { value, grows } = aggregates[i]!;
    const accumulator = group.accumulators[i]!;
    if (grows) bytes -= accumulator.bytes;
    accumulator.add(value(row, context));
    if (grows) bytes += accumulator.bytes;
  }
  if (into === undefined) return bytes;
  const value = into.value(row, context);
  group.members.push(value);
  return bytes + 8 + estimateBytes(value);
}

function groupBytes({ values, accumulators }: Group): number {
  let bytes = 160 + accumulators.length * 64;
  for (const value of values) bytes += 8 + estimateBytes(value);
  return bytes;
}

function byValues(a: Group, b: Group): number {
  for (let i = 0; i < a.values.length; i++) {
    const order = compareValues(a.values[i]!, b.values[i]!);
    if (order !== 0) return order;
  }
  return 0;
}

function finishGroup(group: Group, parts: CollectParts, origin: Origin): Row {
  const row = origin.row.slice();
  parts.groups.forEach(({ register }, i) => (row[register] = group.values[i]!));
  parts.aggregates.forEach(({ register }, i) => (row[register] = group.accumulators[i]!.result()));
  if (parts.into !== undefined) row[parts.into.register] = group.members;
  if (parts.count !== undefined) row[parts.count] = group.rows;
  return row;
}
