import { isThemisError } from '@themisdb/base';
import { leader, type Whereabouts } from '../cluster/whereabouts.ts';
import type { Exchange } from './exchange.ts';

/** A query that modifies runs on the leader, any other where it was asked. */
export function whereOfQuery(
  exchange: Exchange,
  {
    body,
  }: {
    readonly body: {
      readonly query: string;
      readonly consistency?: string | undefined;
      readonly options?: { readonly consistency?: string | undefined } | undefined;
    };
  },
): Whereabouts {
  if (modifies(exchange, body.query)) return leader;
  return { type: 'fresh', mode: body.consistency ?? body.options?.consistency };
}

const modifyingWords = /\b(insert|update|replace|remove|upsert)\b/i;
const modifyingNodes: ReadonlySet<string> = new Set([
  'Insert',
  'Update',
  'Replace',
  'Remove',
  'Upsert',
]);

/** Whether the text could modify: a word that only looks like a clause costs little. */
export function mayModify(text: string): boolean {
  return modifyingWords.test(text);
}

/** Whether it does. A text that is no query modifies nothing: its errors can be told anywhere. */
export function modifies(exchange: Exchange, text: string): boolean {
  if (!mayModify(text)) return false;
  try {
    return holdsModification(exchange.services.database.queries.parse(text).ast);
  } catch (error) {
    if (!isThemisError(error)) throw error;
    return false;
  }
}

/** Not recursive: a query may be nested deeply. */
function holdsModification(tree: unknown): boolean {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    if (!Array.isArray(node) && modifyingNodes.has(String((node as { type?: unknown }).type))) {
      return true;
    }
    open.push(...(Object.values(node) as unknown[]));
  }
  return false;
}
