import { suggest } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { z } from 'zod';

// Validators are interpreted: code generation from strings is switched off in this process.
z.config({ jitless: true });

/**
 * The value as the schema makes it. UNKNOWN_FIELD with a suggestion for a name the schema does not
 * have; INVALID_FIELD with the path and what is allowed for the rest. `where` is "body" or "query".
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: 'body' | 'query',
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw fault(schema, deepest(mostTelling(result.error.issues)), where);
}

/** A misspelt name also leaves the right one missing: the name it has says more. */
function mostTelling(issues: readonly Issue[]): Issue {
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
}

/** Query parameters as what their schemas want: numbers and switches arrive as text. */
export function validateQuery<Schema extends z.ZodObject>(
  schema: Schema,
  search: string,
): z.output<Schema> {
  const given: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (search !== '') {
    for (const [name, text] of new URLSearchParams(search)) {
      if (Object.hasOwn(given, name)) {
        throw themisError('INVALID_FIELD', {
          message: `query parameter ${JSON.stringify(name.slice(0, 100))} is given twice`,
          details: { path: [name] },
        });
      }
      given[name] = fromText((schema.shape as Shape)[name], text);
    }
  }
  return validate(schema, given, 'query');
}

type Shape = Readonly<Record<string, z.ZodType | undefined>>;

function fromText(schema: z.ZodType | undefined, text: string): unknown {
  const inner = schema === undefined ? undefined : unwrap(schema);
  if (inner instanceof z.ZodNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (inner instanceof z.ZodBoolean && (text === 'true' || text === '')) return true;
  if (inner instanceof z.ZodBoolean && text === 'false') return false;
  return text;
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}

type Issue = z.core.$ZodIssue;

/** Of a union, the issue of the branch that got furthest: its message helps most. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  let best: Issue | undefined;
  for (const branch of issue.errors) {
    const inner = branch[0] === undefined ? undefined : deepest(branch[0]);
    if (inner !== undefined && inner.path.length >= (best?.path.length ?? 1)) best = inner;
  }
  return best === undefined ? issue : { ...best, path: [...issue.path, ...best.path] };
}

function fault(schema: z.ZodType, issue: Issue, where: string): Error {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const place = path.length === 0 ? `the ${where}` : `${where} field ${pathText(path)}`;
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0]!;
    const known = namesAt(schema, path);
    const hint = suggest(name, known) ?? known.find((other) => other.startsWith(`${name}_`));
    const full = pathText([...path, name.slice(0, 100)]);
    const allowed = known.length === 0 ? 'none' : known.join(', ');
    return themisError('UNKNOWN_FIELD', {
      message: `${where} field ${full} is unknown${hint === undefined ? '.' : `; did you mean ${hint}?`} Allowed: ${allowed}`,
      details: { path: [...path, name], ...(hint === undefined ? {} : { suggestion: hint }) },
    });
  }
  return themisError('INVALID_FIELD', {
    message: `${place}: ${expectation(issue)}`,
    details: { path },
  });
}

function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`,
    '',
  );
}

/** zod's own words hold no values, only what was expected and the type that came. */
function expectation(issue: Issue): string {
  if (issue.code === 'invalid_value') return `allowed: ${issue.values.map(String).join(', ')}`;
  return issue.message.replace(/^Invalid input: /, '');
}

/** The names of the object schema at a path. */
function namesAt(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) {
    return inner.options.flatMap((option) => namesAt(option as z.ZodType, path));
  }
  const [step, ...rest] = path;
  if (step === undefined) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  if (inner instanceof z.ZodArray) return namesAt(inner.element as z.ZodType, rest);
  const next = inner instanceof z.ZodObject ? (inner.shape as Shape)[step] : undefined;
  return next === undefined ? [] : namesAt(next, rest);
}
