import { isArray, type Value } from '@themisdb/base';
import type { ArrayTest, Expansion, Expression, InlineLimit } from '@themisdb/aql';
import { dynamicCode, type Code, type Compiler } from './code.ts';
import type { EvaluationContext, Row } from './contract.ts';
import { toInteger, truthy } from './convert.ts';
import { compileQuantifier } from './quantifier.ts';

// How many elements pass between two looks at deadline and cancellation.
const interruptMask = 0xff;

/** `[*]` and its inline FILTER, LIMIT and RETURN ("Array expansion", "Inline expressions"). */
export function compileExpansion(node: Expansion, compiler: Compiler): Code {
  const source = elements(node.source, node.levels, compiler);
  const current = compiler.scope.allocate();
  const item = compiler.scope.allocate();
  const inline = compiler.withVariable('CURRENT', current);
  const filter = node.filter && inline.compile(node.filter).run;
  const projection = node.projection && inline.compile(node.projection).run;
  const limit = node.limit && compileLimit(node.limit, compiler);
  const body =
    node.body.type === 'ExpansionItem' ? undefined : compiler.withItem(item).compile(node.body).run;
  const plain = filter === undefined && projection === undefined && limit === undefined;
  if (plain && body === undefined) return dynamicCode(source);
  return dynamicCode((row, context) => {
    const values = source(row, context);
    const bounds = limit === undefined ? unlimited : limit(row, context);
    if (bounds.count <= 0 || bounds.offset < 0) return [];
    const out: Value[] = [];
    let skip = bounds.offset;
    for (let i = 0; i < values.length; i++) {
      if ((i & interruptMask) === interruptMask) context.checkInterrupt();
      const value = values[i]!;
      row[current] = value;
      if (filter !== undefined && !truthy(filter(row, context))) continue;
      if (skip-- > 0) continue;
      const taken = projection === undefined ? value : projection(row, context);
      row[item] = taken;
      out.push(body === undefined ? taken : body(row, context));
      if (out.length >= bounds.count) break;
    }
    context.charge(out.length * 8);
    return out;
  });
}

const unlimited = { offset: 0, count: Infinity };

function compileLimit(
  node: InlineLimit,
  compiler: Compiler,
): (row: Row, context: EvaluationContext) => { offset: number; count: number } {
  const offset = node.offset && compiler.compile(node.offset).run;
  const count = compiler.compile(node.count).run;
  return (row, context) => ({
    offset: offset === undefined ? 0 : toInteger(offset(row, context)),
    count: toInteger(count(row, context)),
  });
}

type Elements = (row: Row, context: EvaluationContext) => readonly Value[];

/** The elements of an array flattened by `levels - 1`; anything but an array has none. */
function elements(node: Expression, levels: number, compiler: Compiler): Elements {
  const source = compiler.compile(node).run;
  return (row, context) => {
    const value = source(row, context);
    if (!isArray(value)) return [];
    return levels === 1 ? value : flatten(value, levels - 1, context);
  };
}

/** FLATTEN(): removes `depth` levels of nesting. */
export function flatten(
  list: readonly Value[],
  depth: number,
  context: EvaluationContext,
): readonly Value[] {
  const out: Value[] = [];
  const visit = (items: readonly Value[], left: number): void => {
    for (const item of items) {
      if (left > 0 && isArray(item)) visit(item, left - 1);
      else out.push(item);
      if ((out.length & 0xfff) === 0xfff) {
        context.checkInterrupt();
        context.charge(0x1000 * 8);
      }
    }
  };
  visit(list, depth);
  return out;
}

/** `array[? quantifier FILTER condition]` ("Question mark operator"): false for what is no array. */
export function compileArrayTest(node: ArrayTest, compiler: Compiler): Code {
  const source = compiler.compile(node.source).run;
  const current = compiler.scope.allocate();
  const filter = node.filter && compiler.withVariable('CURRENT', current).compile(node.filter).run;
  const quantified = compileQuantifier(node.quantifier, compiler);
  return dynamicCode((row, context) => {
    const value = source(row, context);
    if (!isArray(value)) return false;
    const values = node.levels === 1 ? value : flatten(value, node.levels - 1, context);
    const needed = quantified(row, context, values.length);
    return needed.decide(values, (element) => {
      if (filter === undefined) return true;
      row[current] = element;
      return truthy(filter(row, context));
    });
  });
}
