import type { Query } from '@themisdb/aql';
import type { ParsedQuery } from './query-engine.ts';

/** What a tree says before any name is looked up. */
export function parsedQuery(ast: Query): ParsedQuery {
  const collections = new Set<string>();
  const bindParameters = new Set<string>();
  visitNodes(ast, (node) => {
    if (node['type'] === 'CollectionName') collections.add(String(node['name']));
    if (node['type'] === 'CollectionParameter') bindParameters.add(String(node['key']));
    if (node['type'] === 'BindParameter') bindParameters.add(String(node['name']));
  });
  for (const name of unboundSources(ast)) collections.add(name);
  return {
    ast,
    collections: [...collections].sort(),
    bindParameters: [...bindParameters].sort(),
  };
}

type AnyNode = Readonly<Record<string, unknown>>;

function visitNodes(value: unknown, visit: (node: AnyNode) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visitNodes(item, visit);
  } else if (typeof value === 'object' && value !== null) {
    visit(value as AnyNode);
    for (const item of Object.values(value)) visitNodes(item, visit);
  }
}

/** Names FOR reads that no clause of the query declares as a variable. */
function unboundSources(ast: Query): string[] {
  const declared = new Set<string>(['OLD', 'NEW', 'CURRENT']);
  const sources: string[] = [];
  visitNodes(ast, (node) => {
    if (node['type'] === 'Variable') declared.add(String(node['name']));
    const source = node['type'] === 'For' ? (node['source'] as AnyNode) : undefined;
    if (source?.['type'] === 'Reference') sources.push(String(source['name']));
  });
  return sources.filter((name) => !declared.has(name));
}
