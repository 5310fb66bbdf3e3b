import { isObject, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { BoundMember, Expression, Index, Member } from '@themisdb/aql';
import { dynamicCode, foldedCode, type Code, type Compiler } from './code.ts';
import { toInteger } from './convert.ts';
import type { Evaluate } from './contract.ts';

/**
 * Attribute and index access: null in, null out. The values in registers were made by the engine
 * and their prototypes have no members, so a plain read finds own attributes only.
 */
export function compileMember(node: Member | BoundMember, compiler: Compiler): Code {
  const steps: string[] = [];
  let root: Expression = node;
  while (root.type === 'Member' || root.type === 'BoundMember') {
    if (compiler.scope.hoisted(root) !== undefined) break;
    steps.unshift(...stepsOf(root, compiler));
    root = root.object;
  }
  if (root.type === 'Reference') {
    const projected = projectedCode(root.name, steps, compiler);
    if (projected !== undefined) return projected;
  }
  const source = compiler.compile(root);
  return foldedCode([source], pathOf(source.run, steps));
}

function stepsOf(node: Member | BoundMember, compiler: Compiler): readonly string[] {
  if (node.type === 'Member') return [node.name];
  const { name } = node.attribute;
  const value = compiler.scope.bind(name);
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((step) => typeof step === 'string')) return value;
  if (value === undefined) throw bindMissing(name);
  throw themisError('AQL_BIND_TYPE', {
    message: `Bind parameter @${name} names an attribute: it must be a string or an array of strings.`,
    details: { parameter: name, span: node.attribute.span },
  });
}

export function bindMissing(name: string): Error {
  return themisError('AQL_BIND_MISSING', {
    message: `No value was given for bind parameter @${name}.`,
    details: { parameter: name },
  });
}

/** Reads the longest prefix of the path that a scan has put into a register of its own. */
function projectedCode(
  variable: string,
  steps: readonly string[],
  compiler: Compiler,
): Code | undefined {
  for (let length = steps.length; length > 0; length--) {
    const register = compiler.scope.projection(variable, steps.slice(0, length));
    if (register === undefined) continue;
    return dynamicCode(pathOf(readRegister(register), steps.slice(length)));
  }
  const register = compiler.scope.register(variable);
  return register === undefined ? undefined : dynamicCode(registerPath(register, steps));
}

export function readRegister(register: number): Evaluate {
  return (row) => row[register] ?? null;
}

function registerPath(register: number, steps: readonly string[]): Evaluate {
  const [first, second] = steps;
  if (steps.length === 1) return (row) => step(row[register] ?? null, first!);
  if (steps.length === 2) return (row) => step(step(row[register] ?? null, first!), second!);
  return pathOf(readRegister(register), steps);
}

function pathOf(source: Evaluate, steps: readonly string[]): Evaluate {
  const [first, second] = steps;
  if (first === undefined) return source;
  if (second === undefined) return (row, context) => step(source(row, context), first);
  if (steps.length === 2) {
    return (row, context) => step(step(source(row, context), first), second);
  }
  return (row, context) => {
    let value = source(row, context);
    for (let i = 0; i < steps.length && value !== null; i++) value = step(value, steps[i]!);
    return value;
  };
}

function step(value: Value, name: string): Value {
  return isObject(value) ? (value[name] ?? null) : null;
}

/** `object[index]` ("Indexed value access"): by position in arrays, by name in objects. */
export function compileIndex(node: Index, compiler: Compiler): Code {
  const object = compiler.compile(node.object);
  const index = compiler.compile(node.index);
  const source = object.run;
  const position = index.run;
  if (typeof index.constant === 'number' && index.constant >= 0) {
    const at = Math.trunc(index.constant);
    return foldedCode([object], (row, context) => {
      const value = source(row, context);
      return Array.isArray(value) ? ((value as Value[])[at] ?? null) : indexed(value, at);
    });
  }
  return foldedCode([object, index], (row, context) =>
    indexed(source(row, context), position(row, context)),
  );
}

function indexed(value: Value, index: Value): Value {
  if (Array.isArray(value)) {
    const at = arrayPosition(index);
    return at === undefined ? null : ((value as Value[])[at < 0 ? at + value.length : at] ?? null);
  }
  if (!isObject(value)) return null;
  if (typeof index === 'string') return step(value, index);
  return typeof index === 'number' ? step(value, String(toInteger(index))) : null;
}

/** Strings that start with an integer count as that position: `a["1"]` is `a[1]`. */
function arrayPosition(index: Value): number | undefined {
  if (typeof index === 'number') return toInteger(index);
  if (typeof index !== 'string') return undefined;
  const digits = /^\s*[+-]?\d+/.exec(index);
  return digits === null ? undefined : Number(digits[0]);
}
