import { readFileSync, writeFileSync } from 'node:fs';
import { isThemisError } from '@themisdb/base';
import { describeMismatch, parseScript, rewriteScript, runScript } from '@themisdb/testing';
import { expect, test } from 'vitest';
import { children, parse, parseExpression, type Expression, type Node } from './index.ts';

/**
 * Scripts under testdata: `expression` shows how an expression groups, `query` the clauses of a
 * query, `error` the refusal. UPDATE_SCRIPTS=1 writes what is printed into the files; read the
 * difference before committing it.
 */
const files = ['clauses.txt', 'graph.txt', 'modifications.txt', 'expressions.txt', 'errors.txt'];

function run({ name, input }: { name: string; input: string }): string {
  if (name === 'error') return refusal(input);
  if (name === 'expression') return show(parseExpression(input));
  const query = parse(input);
  const { mode, live, withCollections } = query;
  const head = [
    ...(mode === 'run' ? [] : [`mode=${mode}`]),
    ...(live ? ['live'] : []),
    ...(withCollections.length === 0 ? [] : [`with=${withCollections.map(show).join(', ')}`]),
  ];
  return [...head, ...query.clauses.map(show)].join('\n');
}

/** The input of `error` may hold JSON's escapes, for characters that do not show. */
function refusal(input: string): string {
  try {
    parse(unescape(input));
  } catch (error) {
    if (!isThemisError(error)) throw error;
    const { code, position, message } = error;
    const where = `(line ${position!.line}, column ${position!.column})`;
    expect(message).toContain(where);
    return `${code} ${position!.line}:${position!.column} ${message.replace(` ${where}`, '')}`;
  }
  return 'accepted';
}

function unescape(input: string): string {
  const escaped = input.replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return JSON.parse(`"${escaped}"`) as string;
}

/** A node on one line: operators in full parentheses, the rest as `Type(property=…)`. */
function show(node: Node): string {
  switch (node.type) {
    case 'Reference':
    case 'Variable':
      return node.name;
    case 'CollectionName':
      return `collection ${node.name}`;
    case 'CollectionParameter':
      return `@${node.key}`;
    case 'BindParameter':
      return `@${node.name}`;
    case 'Null':
      return 'null';
    case 'Boolean':
    case 'Number':
      return String(node.value);
    case 'String':
      return JSON.stringify(node.value);
    case 'Array':
      return `[${node.elements.map(show).join(', ')}]`;
    case 'Object':
      return `{${node.properties.map(show).join(', ')}}`;
    case 'NamedProperty':
      return node.shorthand ? node.name : `${JSON.stringify(node.name)}: ${show(node.value)}`;
    case 'BoundProperty':
      return `${show(node.key)}: ${show(node.value)}`;
    case 'ComputedProperty':
      return `[${show(node.key)}]: ${show(node.value)}`;
    case 'ExpansionItem':
      return '_';
    case 'FunctionCall':
      return `${node.name}(${node.arguments.map(show).join(', ')})`;
    case 'Assignment':
      return `${node.variable.name} = ${show(node.value)}`;
    case 'Aggregate':
      return `${node.variable.name} = ${show(node.call)}`;
    default:
      return isOperator(node) ? showOperator(node) : showGeneric(node);
  }
}

type Operator = Extract<
  Expression,
  { type: 'Unary' | 'Binary' | 'Ternary' | 'Range' | 'Member' | 'Index' | 'BoundMember' }
>;

function isOperator(node: Node): node is Operator {
  return ['Unary', 'Binary', 'Ternary', 'Range', 'Member', 'Index', 'BoundMember'].includes(
    node.type,
  );
}

function showOperator(node: Operator): string {
  switch (node.type) {
    case 'Unary':
      return `(${node.operator}${show(node.operand)})`;
    case 'Binary':
      return `(${show(node.left)} ${node.operator} ${show(node.right)})`;
    case 'Range':
      return `(${show(node.from)}..${show(node.to)})`;
    case 'Ternary':
      return `(${show(node.condition)} ? ${node.then ? show(node.then) : ''} : ${show(node.otherwise)})`;
    case 'Member':
      return `${show(node.object)}.${node.name}`;
    case 'BoundMember':
      return `${show(node.object)}.${show(node.attribute)}`;
    case 'Index':
      return `${show(node.object)}[${show(node.index)}]`;
  }
}

function showGeneric(node: Node): string {
  const parts = Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
    if (key === 'type' || key === 'span' || value === undefined || value === false) return [];
    if (Array.isArray(value)) {
      return value.length === 0 ? [] : [`${key}=[${(value as Node[]).map(show).join(', ')}]`];
    }
    return [`${key}=${typeof value === 'object' ? show(value as Node) : String(value)}`];
  });
  return `${node.type}(${parts.join(' ')})`;
}

test.each(files)('testdata/%s', (file) => {
  const url = new URL(`../testdata/${file}`, import.meta.url);
  const text = readFileSync(url, 'utf8');
  if (process.env['UPDATE_SCRIPTS'] === '1') writeFileSync(url, rewriteScript(text, file, run));
  const commands = parseScript(text, file);
  expect(runScript(commands, run).map(describeMismatch)).toEqual([]);
  expect(commands.length).toBeGreaterThan(10);
});

test('every node lies inside its parent and is frozen, lists too', () => {
  for (const file of files.filter((name) => name !== 'errors.txt')) {
    const text = readFileSync(new URL(`../testdata/${file}`, import.meta.url), 'utf8');
    for (const { name, input } of parseScript(text, file)) {
      check(name === 'query' ? parse(input) : parseExpression(input), input);
    }
  }
});

function check(node: Node, text: string): void {
  const { start, end } = node.span;
  expect(0 <= start && start <= end && end <= text.length, `${node.type} in ${text}`).toBe(true);
  expect(Object.isFrozen(node) && Object.isFrozen(node.span)).toBe(true);
  expect(Object.values(node).filter(Array.isArray).every(Object.isFrozen)).toBe(true);
  for (const child of children(node)) {
    const inside = child.span.start >= start && child.span.end <= end;
    expect(inside, `${child.type} in ${node.type} in ${text}`).toBe(true);
    check(child, text);
  }
}
