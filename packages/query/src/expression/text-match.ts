import { foldedCode, type Code } from './code.ts';
import type { Evaluate, EvaluationContext } from './contract.ts';
import { toText } from './convert.ts';
import { compileLike, type TextTest } from './like.ts';
import { tryRegex } from './regex.ts';

/** LIKE and NOT LIKE: both sides as text, case-sensitive. */
export function compileLikeOperator(negated: boolean, left: Code, right: Code): Code {
  const text = left.run;
  const pattern = right.run;
  const testFor = patternTests(right, (source) => compileLike(source, false));
  const run: Evaluate = (row, context) => {
    const value = toText(text(row, context));
    return testFor(toText(pattern(row, context)))(value) !== negated;
  };
  return foldedCode([left, right], run);
}

/** Keeps the test of the last pattern, which is mostly the only one. */
function patternTests(
  pattern: Code,
  make: (source: string) => TextTest,
): (source: string) => TextTest {
  let source = pattern.constant === undefined ? '' : toText(pattern.constant);
  let test = make(source);
  return (next) => {
    if (next !== source) {
      test = make(next);
      source = next;
    }
    return test;
  };
}

/** `=~` and `!~`, which are REGEX_TEST() and its negation; null with a malformed expression. */
export function compileRegexOperator(negated: boolean, left: Code, right: Code): Code {
  const run: Evaluate = (row, context) => {
    const text = toText(left.run(row, context));
    const found = regexTest(text, toText(right.run(row, context)), context);
    return found === undefined ? (negated ? true : null) : found !== negated;
  };
  return foldedCode([left, right], run);
}

function regexTest(text: string, pattern: string, context: EvaluationContext): boolean | undefined {
  return tryRegex(pattern, false, context)?.matcher(text).find();
}
