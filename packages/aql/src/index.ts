export type * from './ast.ts';
export { type ParseLimits } from './cursor.ts';
export { highlight, type HighlightedToken, type TokenClass } from './highlight.ts';
export {
  clauseWords,
  contextualWords,
  isReserved,
  reservedWords,
  words,
  type ContextualWord,
  type ReservedWord,
  type WordClass,
  type WordInfo,
} from './keywords.ts';
export { parse, parseExpression, parseLimits, type ParseOptions } from './parse.ts';
export { print, printClause, printExpression, type PrintOptions } from './print.ts';
export { parseTolerant, type Diagnostic, type TolerantResult } from './parse-tolerant.ts';
export { positionAt } from './position.ts';
export { children, visit, type Visitor } from './visit.ts';
