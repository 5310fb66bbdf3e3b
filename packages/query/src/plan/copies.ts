import {
  children,
  positionAt,
  type Clause,
  type Expression,
  type Node,
  type Query,
} from '@themisdb/aql';
import { themisError } from '@themisdb/protocol';

/** References to values already there that one value may hold, counted through its variables. */
const copiesMax = 100_000;

/**
 * Refuses a query that puts a value into itself over and over, as `LET b = [a, a] LET c = [b, b] …`
 * does: in memory each step is two pointers, but as text, or compared, thirty steps are a billion
 * values. What functions and subqueries make is metered while they run, so only literals that refer to
 * variables multiply here. AQL_TOO_DEEP.
 */
export function checkCopies(ast: Query, text: string): void {
  copiesOfClauses(ast.clauses, { text, known: new Map() });
}

interface Scope {
  readonly text: string;
  /** By variable; names are not declared twice where both could be seen. */
  readonly known: Map<string, number>;
}

/** Of the value the clauses return. */
function copiesOfClauses(clauses: readonly Clause[], scope: Scope): number {
  let returned = 1;
  for (const clause of clauses) {
    if (clause.type === 'Let') scope.known.set(clause.variable.name, copiesOf(clause.value, scope));
    else if (clause.type === 'For') {
      scope.known.set(clause.variable.name, copiesOf(clause.source, scope));
    } else if (clause.type === 'Return') returned = copiesOf(clause.value, scope);
    else for (const part of children(clause)) copiesOfNode(part, scope);
  }
  return returned;
}

/** At least 1: whatever a variable holds is one value. */
function copiesOf(expression: Expression, scope: Scope): number {
  const copies = copiesOfNode(expression, scope);
  if (copies <= copiesMax) return Math.max(1, copies);
  throw themisError('AQL_TOO_DEEP', {
    message: `the value would hold more than ${copiesMax} copies of others: it is put into itself over and over`,
    position: positionAt(scope.text, expression.span.start),
  });
}

function copiesOfNode(node: Node, scope: Scope): number {
  switch (node.type) {
    case 'Reference':
      return scope.known.get(node.name) ?? 1;
    case 'ExpansionItem':
      return 1;
    case 'Subquery':
      return copiesOfClauses(node.clauses, scope);
    case 'Array':
    case 'Object':
    case 'FunctionCall':
      return partsOf(node, scope).reduce((sum, copies) => sum + copies, 0);
    case 'Expansion':
      return partsOf(node, scope).reduce((product, copies) => product * Math.max(1, copies), 1);
    default:
      return Math.max(0, ...partsOf(node, scope));
  }
}

function partsOf(node: Node, scope: Scope): number[] {
  return children(node).map((part) => copiesOfNode(part, scope));
}
