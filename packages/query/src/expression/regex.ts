import { RE2JS } from 're2js';
import type { EvaluationContext } from './contract.ts';

/** A compiled regular expression: RE2 syntax, matching in time linear in the text. */
export type Regex = RE2JS;

const cachedMax = 64;
// The time of a match is bounded by the length of the text times this.
const instructionsMax = 10_000;
const cache = new Map<string, Regex | undefined>();

/**
 * Compiles through a bounded cache. What is malformed, what a linear-time engine cannot do (back
 * references, look-around) and what makes a very large program warns with AQL_INVALID_REGEX and
 * gives undefined.
 */
export function tryRegex(
  pattern: string,
  ignoreCase: boolean,
  context: EvaluationContext,
): Regex | undefined {
  const regex = pattern.length <= instructionsMax ? cached(pattern, ignoreCase) : undefined;
  if (regex === undefined) {
    context.warn('AQL_INVALID_REGEX', 'The regular expression is malformed or not supported.');
  }
  return regex;
}

function cached(pattern: string, ignoreCase: boolean): Regex | undefined {
  const key = `${ignoreCase ? 'i' : 's'}${pattern}`;
  let regex = cache.get(key);
  if (regex === undefined && !cache.has(key)) {
    regex = compile(pattern, ignoreCase);
    if (cache.size >= cachedMax) cache.delete(cache.keys().next().value!);
    cache.set(key, regex);
  }
  return regex;
}

function compile(pattern: string, ignoreCase: boolean): Regex | undefined {
  try {
    const flags = ignoreCase ? RE2JS.CASE_INSENSITIVE : 0;
    const regex = RE2JS.compile(withHexEscapes(pattern), flags);
    return regex.programSize() > instructionsMax ? undefined : regex;
  } catch {
    // Every failure to compile means the same to the query: no such expression.
    return undefined;
  }
}

/** ICU's `\\uhhhh` in the form RE2 knows. */
function withHexEscapes(pattern: string): string {
  return pattern.replace(/\\(?:u([0-9a-fA-F]{4})|[^])/g, (found, code: string | undefined) =>
    code === undefined ? found : `\\x{${code}}`,
  );
}
