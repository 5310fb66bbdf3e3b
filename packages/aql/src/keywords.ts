/**
 * The words of the language, in one place for the lexer, the error messages, highlighting and
 * completion. Reserved words cannot name variables or collections unless quoted (AQL manual,
 * "Names", ArangoDB 3.12's list); contextual words mean something in one place only and are ordinary
 * names everywhere else.
 */
export const reservedWords = [
  'AGGREGATE',
  'ALL',
  'ALL_SHORTEST_PATHS',
  'AND',
  'ANY',
  'ASC',
  'COLLECT',
  'DESC',
  'DISTINCT',
  'FALSE',
  'FILTER',
  'FOR',
  'GRAPH',
  'IN',
  'INBOUND',
  'INSERT',
  'INTO',
  'K_PATHS',
  'K_SHORTEST_PATHS',
  'LET',
  'LIKE',
  'LIMIT',
  'NONE',
  'NOT',
  'NULL',
  'OR',
  'OUTBOUND',
  'REMOVE',
  'REPLACE',
  'RETURN',
  'SHORTEST_PATH',
  'SORT',
  'TRUE',
  'UPDATE',
  'UPSERT',
  'WINDOW',
  'WITH',
] as const;

export type ReservedWord = (typeof reservedWords)[number];

export const contextualWords = [
  'AT',
  'COUNT',
  'CURRENT',
  'EXPLAIN',
  'KEEP',
  'LEAST',
  'LIVE',
  'NEW',
  'OLD',
  'OPTIONS',
  'PROFILE',
  'PRUNE',
  'SATISFIES',
  'SEARCH',
  'TO',
  'TYPE',
] as const;

export type ContextualWord = (typeof contextualWords)[number];

/** The words a clause can start with. */
export const clauseWords = [
  'FOR',
  'FILTER',
  'LET',
  'SORT',
  'LIMIT',
  'COLLECT',
  'WINDOW',
  'RETURN',
  'INSERT',
  'UPDATE',
  'REPLACE',
  'REMOVE',
  'UPSERT',
] as const;

/** What a highlighter colours a word as. */
export type WordClass = 'clause' | 'modifier' | 'operator' | 'literal' | 'variable';

const operators: ReadonlySet<string> = new Set([
  'ALL',
  'AND',
  'ANY',
  'IN',
  'LIKE',
  'NONE',
  'NOT',
  'OR',
]);
const literals: ReadonlySet<string> = new Set(['FALSE', 'NULL', 'TRUE']);
const variables: ReadonlySet<string> = new Set(['CURRENT', 'NEW', 'OLD']);
const clauses: ReadonlySet<string> = new Set(clauseWords);

function classOf(word: string): WordClass {
  if (clauses.has(word)) return 'clause';
  if (operators.has(word)) return 'operator';
  if (literals.has(word)) return 'literal';
  return variables.has(word) ? 'variable' : 'modifier';
}

/** Every word with its class and whether it is reserved: the table for highlighting. */
export interface WordInfo {
  readonly word: string;
  readonly reserved: boolean;
  readonly class: WordClass;
}

export const words: readonly WordInfo[] = Object.freeze([
  ...reservedWords.map((word) => Object.freeze({ word, reserved: true, class: classOf(word) })),
  ...contextualWords.map((word) => Object.freeze({ word, reserved: false, class: classOf(word) })),
]);

const reserved: ReadonlySet<string> = new Set(reservedWords);

/** Whether `name`, in any case, must be quoted to be a name. */
export function isReserved(name: string): boolean {
  return reserved.has(name.toUpperCase());
}
