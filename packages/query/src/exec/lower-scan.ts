import type { Expression } from '@themisdb/aql';
import type { IndexEntry, StoredRecord } from '@themisdb/storage';
import type { Evaluate } from '../expression/contract.ts';
import type { Access, IndexAccess, ScanNode } from '../plan/node.ts';
import type { Test } from './filter.ts';
import { makeHashJoin } from './hash-join.ts';
import { entryScan, recordScan, type IndexParts } from './index-scan.ts';
import type { Layout } from './layout.ts';
import type { Operator } from './operator.ts';
import { makePrimaryScan } from './primary-scan.ts';
import { entryReader, recordReader, type Field } from './read-record.ts';
import { fullScan, makeScan, type Reader, type Source } from './scan.ts';

/** What the lowering of all nodes shares. */
export interface LoweringTools {
  readonly layout: Layout;
  compile(expression: Expression): Evaluate;
  maybe(expression: Expression | undefined): Evaluate | undefined;
  /** All conditions together; undefined when there are none. */
  test(conditions: readonly Expression[]): Test | undefined;
}

/** A source of items with the reader that understands them. */
type Reading =
  | { readonly source: Source<StoredRecord>; readonly reader: Reader<StoredRecord> }
  | { readonly source: Source<IndexEntry>; readonly reader: Reader<IndexEntry> };

export function lowerScan(node: ScanNode, lowering: LoweringTools): Operator {
  const { access, collection } = node;
  if (access.type === 'hash') return lowerHashJoin(node, lowering);
  if (access.type === 'primary') {
    // The key is computed from the outer row, before the variable exists.
    const value = lowering.compile(access.value);
    const reader = recordReader(declareFields(node, lowering));
    const { attribute, many } = access;
    const test = lowering.test(node.filters);
    return makePrimaryScan(node.id, { collection, attribute, value, many, reader, test });
  }
  const open = sourceOf(node, access, lowering);
  const reading = open(declareFields(node, lowering));
  const test = lowering.test(node.filters);
  const limit = lowering.maybe(node.limit);
  return makeScan(node.id, { ...(reading as AnyReading), test, limit });
}

// Source and reader of one Reading fit each other, which the union does not say.
interface AnyReading {
  readonly source: Source<unknown>;
  readonly reader: Reader<unknown>;
}

/** Compiles the access, then (the variable being declared) joins it with a reader. */
function sourceOf(
  node: ScanNode,
  access: Exclude<Access, { type: 'hash' | 'primary' }>,
  lowering: LoweringTools,
): (fields: readonly Field[]) => Reading {
  if (access.type === 'full') {
    return (fields) => ({ source: fullScan(node.collection), reader: recordReader(fields) });
  }
  const parts = indexParts(node, access, lowering);
  if (!access.covering) {
    return (fields) => ({ source: recordScan(parts), reader: recordReader(fields) });
  }
  const { index } = access.ranges[0]!;
  return (fields) => ({ source: entryScan(parts), reader: entryReader(fields, index) });
}

function indexParts(node: ScanNode, access: IndexAccess, lowering: LoweringTools): IndexParts {
  return {
    collection: node.collection,
    reverse: access.reverse,
    deduplicate: access.deduplicate,
    ranges: access.ranges.map(({ index, equal, lower, upper }) => ({
      index,
      equal: equal.map(({ value, many }) => ({ value: lowering.compile(value), many })),
      lower: lower && { value: lowering.compile(lower.value), inclusive: lower.inclusive },
      upper: upper && { value: lowering.compile(upper.value), inclusive: upper.inclusive },
    })),
  };
}

function lowerHashJoin(node: ScanNode, lowering: LoweringTools): Operator {
  const access = node.access as Extract<Access, { type: 'hash' }>;
  const outerKeys = access.keys.map((key) => lowering.compile(key.outer));
  const open = sourceOf(node, access.build, lowering);
  const fields = declareFields(node, lowering);
  const reading = open(fields) as AnyReading;
  return makeHashJoin({
    nodeId: node.id,
    ...reading,
    registers: fields.map((field) => field.register),
    buildTest: lowering.test(access.buildFilters),
    innerKeys: access.keys.map((key) => lowering.compile(key.inner)),
    outerKeys,
    test: lowering.test(node.filters),
  });
}

/** The name under which the register of a scan's encoded records is known. */
export function recordOf(variable: string): string {
  return `${variable}\u0000record`;
}

/** Registers of what the scan reads: early ones side by side, then late ones. */
function declareFields(node: ScanNode, lowering: LoweringTools): Field[] {
  const { layout } = lowering;
  const { document, projections } = node.output;
  const ordered = [...projections].sort((a, b) => Number(b.early) - Number(a.early));
  const fields: Field[] = ordered.map(({ steps, early }) => ({
    register: layout.declareProjection(node.variable, steps),
    steps,
    early,
  }));
  if (document === 'record') {
    const register = layout.declare(recordOf(node.variable));
    fields.push({ register, steps: [], early: false, asRecord: true });
  } else if (document !== 'none') {
    const register = layout.declare(node.variable);
    fields.push({ register, steps: [], early: document === 'early' });
  }
  return fields;
}
