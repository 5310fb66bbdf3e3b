import { compareValues, equalValues, type Value } from '@themisdb/base';
import { children, type Clause, type Collect, type Expression, type Node } from '@themisdb/aql';
import { compileExpression, truthy, type EvaluationContext } from '../expression/index.ts';
import { aggregateTable } from '../functions/index.ts';

/**
 * The meaning of a query said as plainly as possible: clause by clause over lists of environments, no
 * planning, no indexes, no batches. What the engine gives is compared with it. Covers what
 * `random-query.ts` makes.
 */
export function evaluateNaively(
  clauses: readonly Clause[],
  collections: ReadonlyMap<string, readonly Value[]>,
  outer: Environment = new Map(),
): Value[] {
  let rows: Environment[] = [outer];
  for (const clause of clauses) {
    if (clause.type === 'Return') {
      return rows.map((row) => evaluate(clause.value, row, collections));
    }
    rows = step(clause, rows, collections);
  }
  return [];
}

type Environment = ReadonlyMap<string, Value>;
type Collections = ReadonlyMap<string, readonly Value[]>;

function step(clause: Clause, rows: Environment[], collections: Collections): Environment[] {
  const value = (node: Expression, row: Environment): Value => evaluate(node, row, collections);
  switch (clause.type) {
    case 'For':
      return rows.flatMap((row) => {
        const { source } = clause;
        const named = source.type === 'Reference' && !row.has(source.name);
        const list = named ? collections.get(source.name)! : value(source, row);
        return (list as readonly Value[]).map((item) => bind(row, clause.variable.name, item));
      });
    case 'Filter':
      return rows.filter((row) => truthy(value(clause.condition, row)));
    case 'Let':
      return rows.map((row) => bind(row, clause.variable.name, value(clause.value, row)));
    case 'Sort': {
      const keyed = rows.map((row) => ({
        row,
        keys: clause.keys.map((key) => value(key.expression, row)),
      }));
      const signs = clause.keys.map((key) => (key.direction === 'DESC' ? -1 : 1));
      const order = (a: Value[], b: Value[]): number => {
        const at = a.findIndex((key, i) => !equalValues(key, b[i]!));
        return at < 0 ? 0 : compareValues(a[at]!, b[at]!) * signs[at]!;
      };
      return keyed.toSorted((a, b) => order(a.keys, b.keys)).map(({ row }) => row);
    }
    case 'Limit': {
      const offset = clause.offset === undefined ? 0 : (value(clause.offset, new Map()) as number);
      return rows.slice(offset, offset + (value(clause.count, new Map()) as number));
    }
    case 'Collect':
      return collect(clause, rows, collections);
    default:
      throw new Error(`the naive evaluator knows no ${clause.type}`);
  }
}

function collect(clause: Collect, rows: Environment[], collections: Collections): Environment[] {
  const value = (node: Expression, row: Environment): Value => evaluate(node, row, collections);
  const groups: { keys: Value[]; rows: Environment[] }[] = [];
  for (const row of rows) {
    const keys = clause.groups.map((group) => value(group.value, row));
    const found = groups.find((group) => group.keys.every((key, i) => equalValues(key, keys[i]!)));
    if (found === undefined) groups.push({ keys, rows: [row] });
    else found.rows.push(row);
  }
  if (clause.groups.length === 0 && groups.length === 0) groups.push({ keys: [], rows: [] });
  groups.sort((a, b) => compareValues(a.keys, b.keys));
  return groups.map((group) => {
    const out = new Map<string, Value>();
    clause.groups.forEach(({ variable }, i) => out.set(variable.name, group.keys[i]!));
    for (const { variable, call } of clause.aggregates) {
      const accumulator = aggregateTable.get(call.name)!.create();
      for (const row of group.rows) accumulator.add(value(call.arguments[0]!, row));
      out.set(variable.name, accumulator.result());
    }
    if (clause.into?.projection !== undefined) {
      const { variable, projection } = clause.into;
      out.set(
        variable.name,
        group.rows.map((row) => value(projection, row)),
      );
    }
    if (clause.countInto !== undefined) out.set(clause.countInto.name, group.rows.length);
    return out;
  });
}

function bind(row: Environment, name: string, value: Value): Environment {
  return new Map([...row, [name, value]]);
}

function evaluate(node: Expression, row: Environment, collections: Collections): Value {
  const registers: Value[] = [...row.values()];
  const names = [...row.keys()];
  const hoisted = new Map<Node, number>();
  for (const subquery of subqueriesOf(node)) {
    hoisted.set(subquery, registers.length);
    registers.push(evaluateNaively(subquery.clauses, collections, row));
  }
  const run = compileExpression(node, {
    register: (name) => (row.has(name) ? names.indexOf(name) : undefined),
    projection: () => undefined,
    hoisted: (each) => hoisted.get(each),
    allocate: () => registers.push(null) - 1,
    bind: () => undefined,
  });
  return run(registers, context);
}

type Subquery = Extract<Node, { type: 'Subquery' }>;

function subqueriesOf(node: Node): Subquery[] {
  if (node.type === 'Subquery') return [node];
  return [...children(node)].flatMap(subqueriesOf);
}

const context: EvaluationContext = {
  nowMs: 0,
  namespace: 'default',
  random: () => 0,
  randomBytes: (length) => new Uint8Array(length),
  warn() {},
  charge() {},
  checkInterrupt() {},
};
