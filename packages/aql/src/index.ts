export type * from './ast.ts';
export { type ParseLimits } from './cursor.ts';
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
export { positionAt } from './position.ts';
export { children, visit, type Visitor } from './visit.ts';
