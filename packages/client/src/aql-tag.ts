/** A query text with its bind parameters: what the `aql` tag makes. */
export interface AqlQuery {
  readonly query: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Marks a value of the `aql` tag as a collection name rather than a text. */
export class CollectionName {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export function collectionName(name: string): CollectionName {
  return new CollectionName(name);
}

export function isAqlQuery(value: unknown): value is AqlQuery {
  return typeof value === 'object' && value !== null && 'query' in value && 'params' in value;
}

/**
 * Template tag: every `${value}` becomes a bind parameter, so no value can change the query. Nest
 * queries as `${aql`FILTER …`}`; name collections with `${collectionName('users')}` or a Collection.
 */
export function aql(strings: TemplateStringsArray, ...values: readonly unknown[]): AqlQuery {
  const params: Record<string, unknown> = {};
  let count = 0;
  const write = (texts: readonly string[], parts: readonly unknown[]): string =>
    texts.map((text, i) => text + (i < parts.length ? place(parts[i]) : '')).join('');
  const place = (value: unknown): string => {
    const nested = templateOf(value);
    if (nested !== undefined) return write(nested.strings, nested.values);
    const name = `p${count++}`;
    if (value instanceof CollectionName) {
      params[`@${name}`] = value.name;
      return `@@${name}`;
    }
    params[name] = value ?? null;
    return `@${name}`;
  };
  return Object.defineProperty({ query: write(strings, values), params }, nestedBrand, {
    value: { strings: [...strings], values },
  }) as AqlQuery;
}

const nestedBrand = Symbol('aql');

interface Template {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
}

// A nested query is written anew from its parts, so that its parameters get names of their own.
function templateOf(value: unknown): Template | undefined {
  return typeof value === 'object' && value !== null
    ? (value as { [nestedBrand]?: Template })[nestedBrand]
    : undefined;
}
