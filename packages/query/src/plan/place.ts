import type { Clause, Reference, Span } from '@themisdb/aql';
import type { BindContext } from './bind-context.ts';
import type { Pipeline, PlanNode } from './node.ts';
import type { Scope } from './scope.ts';

/** Where an expression stands. */
export interface Place {
  readonly context: BindContext;
  readonly scope: Scope;
  /** Puts a node before the one the expression belongs to. */
  emit(node: PlanNode): void;
  bindSubquery(clauses: readonly Clause[], scope: Scope): Pipeline;
  /** Names that only inline expressions around here know: CURRENT, SATISFIES variables. */
  readonly inline: ReadonlyMap<string, string>;
}

export function reference(name: string, span: Span): Reference {
  return { type: 'Reference', span, name };
}

/** Declares a variable of the query and returns its unique name. */
export function declare(name: string, span: Span, place: Place): string {
  mustBeNew(name, span, place);
  const unique = place.context.names.declare(name);
  place.scope.declare(name, unique);
  return unique;
}

export function mustBeNew(name: string, span: Span, place: Pick<Place, 'context' | 'scope'>): void {
  if (place.scope.resolve(name) === undefined || name === 'OLD' || name === 'NEW') return;
  throw place.context.error(
    'AQL_VARIABLE_REDECLARED',
    span,
    `There is a variable ${name} in scope already: choose another name.`,
    { name },
  );
}
