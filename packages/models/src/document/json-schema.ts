import {
  compareValues,
  equalValues,
  isArray,
  isObject,
  suggest,
  type Value,
  type ValueObject,
} from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { RE2JS } from 're2js';
import { formatChecks } from './formats.ts';

/** Where a document breaks its schema: a JSON Pointer (RFC 6901) and what is demanded there. */
export interface Violation {
  readonly pointer: string;
  readonly keyword: string;
  readonly message: string;
}

/** Returns the first violation, or undefined when the value follows the schema. */
export type Validate = (value: Value, pointer: string) => Violation | undefined;

const depthMax = 64;
const recursionMax = 500;

/**
 * Compiles a JSON Schema (2020-12) to closures, once per schema; nothing is generated as text.
 *
 * Supported: type, enum, const, the number, string, array and object keywords, allOf, anyOf, oneOf,
 * not, if/then/else, dependentRequired, dependentSchemas, $ref to `#` and `#/…`, $defs, `format` as
 * an assertion for the formats of `formats.ts`, and annotations. Any other keyword is refused with
 * INVALID_SCHEMA: a rule that would be ignored is worse than none. Patterns run in linear time.
 */
export function compileSchema(schema: Value): Validate {
  return new SchemaCompiler(schema).compile(schema, '#', 0);
}

class SchemaCompiler {
  readonly #root: Value;
  readonly #references = new Map<string, { validate?: Validate }>();
  /** References being followed: a schema that refers to itself without descending must end. */
  #running = 0;

  constructor(root: Value) {
    this.#root = root;
  }

  compile(schema: Value, at: string, depth: number): Validate {
    if (depth > depthMax) refuse(at, `the schema nests deeper than ${depthMax} levels`);
    if (schema === true) return () => undefined;
    if (schema === false) {
      return (_, pointer) => violation(pointer, 'false', 'nothing is allowed here');
    }
    if (!isObject(schema)) refuse(at, 'a schema must be an object, true or false');
    const checks: Validate[] = [];
    for (const keyword of Object.keys(schema)) {
      const check = this.#keyword(schema, keyword, `${at}/${keyword}`, depth + 1);
      if (check !== undefined) checks.push(check);
    }
    return all(checks);
  }

  #keyword(schema: ValueObject, keyword: string, at: string, depth: number): Validate | undefined {
    if (annotations.has(keyword)) return undefined;
    const value = schema[keyword]!;
    const simple = simpleKeywords[keyword];
    if (simple !== undefined) return simple(value, at);
    const sub = (part: Value, where: string): Validate => this.compile(part, where, depth);
    const nested = nestedKeywords[keyword];
    if (nested !== undefined) return nested({ value, schema, at, sub });
    if (keyword === '$ref') return this.#reference(value, at);
    const hint = suggest(keyword, knownKeywords);
    return refuse(
      at,
      `keyword ${JSON.stringify(keyword)} is not supported` +
        (hint ? `; did you mean "${hint}"?` : ''),
    );
  }

  /** References may be recursive: the target is compiled once and looked up when it runs. */
  #reference(value: Value, at: string): Validate {
    if (typeof value !== 'string' || !value.startsWith('#')) {
      refuse(at, '$ref must point inside the schema: "#" or "#/$defs/name"');
    }
    let entry = this.#references.get(value);
    if (entry === undefined) {
      entry = {};
      this.#references.set(value, entry);
      entry.validate = this.compile(this.#resolve(value, at), value, 0);
    }
    const target = entry;
    return (data, pointer) => {
      if (this.#running >= recursionMax) {
        return violation(
          pointer,
          '$ref',
          `the schema refers to itself more than ${recursionMax} times`,
        );
      }
      this.#running++;
      try {
        return target.validate!(data, pointer);
      } finally {
        this.#running--;
      }
    };
  }

  #resolve(reference: string, at: string): Value {
    let current: Value = this.#root;
    for (const part of reference.slice(1).split('/').slice(1)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (isArray(current)) current = current[Number(name)] ?? null;
      else if (isObject(current) && Object.hasOwn(current, name)) current = current[name]!;
      else refuse(at, `$ref ${JSON.stringify(reference)} points to nothing`);
    }
    return current;
  }
}

function all(checks: readonly Validate[]): Validate {
  if (checks.length === 1) return checks[0]!;
  return (value, pointer) => {
    for (const check of checks) {
      const found = check(value, pointer);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function violation(pointer: string, keyword: string, message: string): Violation {
  return { pointer: pointer === '' ? '/' : pointer, keyword, message };
}

function refuse(at: string, why: string): never {
  throw themisError('INVALID_SCHEMA', { message: `schema at ${at}: ${why}`, details: { at } });
}

const annotations: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'then',
  'else',
  'minContains',
  'maxContains',
]);

type SimpleKeyword = (value: Value, at: string) => Validate;

/** A keyword that tests one value against a constant. */
function rule(keyword: string, holds: (value: Value) => boolean, demand: string): Validate {
  return (value, pointer) => (holds(value) ? undefined : violation(pointer, keyword, demand));
}

function number(value: Value, at: string): number {
  return typeof value === 'number' ? value : refuse(at, 'a number is needed');
}

function count(value: Value, at: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  return refuse(at, 'a whole number of at least 0 is needed');
}

function strings(value: Value, at: string): readonly string[] {
  if (isArray(value) && value.every((v) => typeof v === 'string')) return value as string[];
  return refuse(at, 'an array of strings is needed');
}

export function codePoints(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff) i++;
    length++;
  }
  return length;
}

const typeTests: Readonly<Record<string, (value: Value) => boolean>> = {
  null: (v) => v === null,
  boolean: (v) => typeof v === 'boolean',
  number: (v) => typeof v === 'number',
  integer: (v) => Number.isInteger(v),
  string: (v) => typeof v === 'string',
  array: isArray,
  object: isObject,
};

function typeKeyword(value: Value, at: string): Validate {
  const names = typeof value === 'string' ? [value] : strings(value, at);
  const tests = names.map((name) =>
    Object.hasOwn(typeTests, name)
      ? typeTests[name]!
      : refuse(
          at,
          `unknown type ${JSON.stringify(name)}; allowed: ${Object.keys(typeTests).join(', ')}`,
        ),
  );
  const demand = `must be ${names.join(' or ')}`;
  return rule('type', (v) => tests.some((holds) => holds(v)), demand);
}

function pattern(value: Value, at: string): (text: string) => boolean {
  if (typeof value !== 'string') return refuse(at, 'a regular expression is needed');
  try {
    const compiled = RE2JS.compile(value);
    return (text) => compiled.matcher(text).find();
  } catch {
    return refuse(at, `${JSON.stringify(value)} is not a regular expression of the RE2 syntax`);
  }
}

function hasDuplicates(values: readonly Value[]): boolean {
  const sorted = [...values].sort(compareValues);
  return sorted.some((v, i) => i > 0 && equalValues(v, sorted[i - 1]!));
}

const isNumber = (v: Value): v is number => typeof v === 'number';
const isString = (v: Value): v is string => typeof v === 'string';

/** Whole multiples, up to the rounding of one division: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, of: number): boolean {
  const quotient = value / of;
  return Math.abs(quotient - Math.round(quotient)) <= 1e-12 * Math.max(1, Math.abs(quotient));
}

const simpleKeywords: Readonly<Record<string, SimpleKeyword>> = {
  type: typeKeyword,
  enum: (value, at) => {
    if (!isArray(value)) return refuse(at, 'an array of values is needed');
    return rule(
      'enum',
      (v) => value.some((allowed) => equalValues(v, allowed)),
      `must be one of ${JSON.stringify(value).slice(0, 200)}`,
    );
  },
  const: (value) =>
    rule('const', (v) => equalValues(v, value), `must be ${JSON.stringify(value).slice(0, 200)}`),
  minimum: (value, at) => {
    const bound = number(value, at);
    return rule('minimum', (v) => !isNumber(v) || v >= bound, `must be at least ${bound}`);
  },
  maximum: (value, at) => {
    const bound = number(value, at);
    return rule('maximum', (v) => !isNumber(v) || v <= bound, `must be at most ${bound}`);
  },
  exclusiveMinimum: (value, at) => {
    const bound = number(value, at);
    return rule(
      'exclusiveMinimum',
      (v) => !isNumber(v) || v > bound,
      `must be greater than ${bound}`,
    );
  },
  exclusiveMaximum: (value, at) => {
    const bound = number(value, at);
    return rule('exclusiveMaximum', (v) => !isNumber(v) || v < bound, `must be less than ${bound}`);
  },
  multipleOf: (value, at) => {
    const of = number(value, at);
    if (of <= 0) return refuse(at, 'a number greater than 0 is needed');
    return rule(
      'multipleOf',
      (v) => !isNumber(v) || isMultiple(v, of),
      `must be a multiple of ${of}`,
    );
  },
  minLength: (value, at) => {
    const bound = count(value, at);
    return rule(
      'minLength',
      (v) => !isString(v) || codePoints(v) >= bound,
      `must have at least ${bound} characters`,
    );
  },
  maxLength: (value, at) => {
    const bound = count(value, at);
    return rule(
      'maxLength',
      (v) => !isString(v) || codePoints(v) <= bound,
      `must have at most ${bound} characters`,
    );
  },
  pattern: (value, at) => {
    const matches = pattern(value, at);
    return rule('pattern', (v) => !isString(v) || matches(v), `must match ${String(value)}`);
  },
  format: (value, at) => {
    if (typeof value !== 'string' || !Object.hasOwn(formatChecks, value)) {
      return refuse(
        at,
        `format ${JSON.stringify(value)} is not supported; supported: ${Object.keys(formatChecks).join(', ')}`,
      );
    }
    const holds = formatChecks[value]!;
    return rule('format', (v) => !isString(v) || holds(v), `must be a ${value}`);
  },
  minItems: (value, at) => {
    const bound = count(value, at);
    return rule(
      'minItems',
      (v) => !isArray(v) || v.length >= bound,
      `must have at least ${bound} items`,
    );
  },
  maxItems: (value, at) => {
    const bound = count(value, at);
    return rule(
      'maxItems',
      (v) => !isArray(v) || v.length <= bound,
      `must have at most ${bound} items`,
    );
  },
  uniqueItems: (value, at) => {
    if (typeof value !== 'boolean') return refuse(at, 'true or false is needed');
    return rule(
      'uniqueItems',
      (v) => !value || !isArray(v) || !hasDuplicates(v),
      'must not repeat an item',
    );
  },
  minProperties: (value, at) => {
    const bound = count(value, at);
    return rule(
      'minProperties',
      (v) => !isObject(v) || userAttributes(v).length >= bound,
      `must have at least ${bound} attributes`,
    );
  },
  maxProperties: (value, at) => {
    const bound = count(value, at);
    return rule(
      'maxProperties',
      (v) => !isObject(v) || userAttributes(v).length <= bound,
      `must have at most ${bound} attributes`,
    );
  },
  required: (value, at) => {
    const names = strings(value, at);
    return (v, pointer) => {
      const missing = isObject(v) ? names.find((name) => !Object.hasOwn(v, name)) : undefined;
      return missing === undefined
        ? undefined
        : violation(pointer, 'required', `attribute ${JSON.stringify(missing)} is required`);
    };
  },
  dependentRequired: (value, at) => {
    if (!isObject(value)) return refuse(at, 'an object of string arrays is needed');
    const pairs = Object.keys(value).map(
      (name) => [name, strings(value[name]!, `${at}/${name}`)] as const,
    );
    return (v, pointer) => {
      if (!isObject(v)) return undefined;
      for (const [name, needs] of pairs) {
        const missing = Object.hasOwn(v, name)
          ? needs.find((n) => !Object.hasOwn(v, n))
          : undefined;
        if (missing !== undefined) {
          return violation(
            pointer,
            'dependentRequired',
            `attribute ${JSON.stringify(missing)} is required beside ${JSON.stringify(name)}`,
          );
        }
      }
      return undefined;
    };
  },
};

/** System attributes are the database's own and never judged by a user's schema at the top level. */
function userAttributes(value: ValueObject): string[] {
  return Object.keys(value);
}

interface NestedContext {
  readonly value: Value;
  readonly schema: ValueObject;
  readonly at: string;
  readonly sub: (part: Value, where: string) => Validate;
}

function schemaMap({ value, at, sub }: NestedContext): [string, Validate][] {
  if (!isObject(value)) return refuse(at, 'an object of schemas is needed');
  return Object.keys(value).map((name) => [name, sub(value[name]!, `${at}/${name}`)]);
}

function schemaList({ value, at, sub }: NestedContext): Validate[] {
  if (!isArray(value) || value.length === 0)
    return refuse(at, 'a non-empty array of schemas is needed');
  return value.map((part, i) => sub(part, `${at}/${i}`));
}

function child(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The first violation among the items or attributes that `select` yields. */
function firstOf<T>(
  items: Iterable<T>,
  check: (item: T) => Violation | undefined,
): Violation | undefined {
  for (const item of items) {
    const found = check(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

const nestedKeywords: Readonly<Record<string, (context: NestedContext) => Validate>> = {
  properties: (context) => {
    const properties = schemaMap(context);
    return (v, pointer) =>
      isObject(v)
        ? firstOf(properties, ([name, check]) =>
            Object.hasOwn(v, name) ? check(v[name]!, child(pointer, name)) : undefined,
          )
        : undefined;
  },
  patternProperties: (context) => {
    const rules = schemaMap(context).map(
      ([text, check]) => [pattern(text, context.at), check] as const,
    );
    return (v, pointer) =>
      isObject(v)
        ? firstOf(Object.keys(v), (name) =>
            firstOf(rules, ([matches, check]) =>
              matches(name) ? check(v[name]!, child(pointer, name)) : undefined,
            ),
          )
        : undefined;
  },
  additionalProperties: ({ value, schema, at, sub }) => {
    const check = sub(value, at);
    const declared = new Set(
      isObject(schema['properties']) ? Object.keys(schema['properties']) : [],
    );
    const patterns = isObject(schema['patternProperties'])
      ? Object.keys(schema['patternProperties']).map((text) => pattern(text, at))
      : [];
    const isExtra = (name: string): boolean =>
      !declared.has(name) && !patterns.some((matches) => matches(name));
    return (v, pointer) =>
      isObject(v)
        ? firstOf(Object.keys(v).filter(isExtra), (name) => {
            const found = check(v[name]!, child(pointer, name));
            if (found?.keyword !== 'false') return found;
            const hint = suggest(name, [...declared]);
            return violation(
              child(pointer, name),
              'additionalProperties',
              `attribute ${JSON.stringify(name)} is not declared${hint ? `; did you mean "${hint}"?` : ''}`,
            );
          })
        : undefined;
  },
  propertyNames: ({ value, at, sub }) => {
    const check = sub(value, at);
    return (v, pointer) =>
      isObject(v)
        ? firstOf(Object.keys(v), (name) => check(name, child(pointer, name)))
        : undefined;
  },
  dependentSchemas: (context) => {
    const rules = schemaMap(context);
    return (v, pointer) =>
      isObject(v)
        ? firstOf(rules, ([name, check]) =>
            Object.hasOwn(v, name) ? check(v, pointer) : undefined,
          )
        : undefined;
  },
  prefixItems: (context) => {
    const checks = schemaList(context);
    return (v, pointer) =>
      isArray(v)
        ? firstOf(v.slice(0, checks.length).entries(), ([i, item]) =>
            checks[i]!(item, `${pointer}/${i}`),
          )
        : undefined;
  },
  items: ({ value, schema, at, sub }) => {
    const check = sub(value, at);
    const from = isArray(schema['prefixItems']) ? schema['prefixItems'].length : 0;
    return (v, pointer) =>
      isArray(v)
        ? firstOf(v.entries(), ([i, item]) =>
            i < from ? undefined : check(item, `${pointer}/${i}`),
          )
        : undefined;
  },
  contains: ({ value, schema, at, sub }) => {
    const check = sub(value, at);
    const least = Object.hasOwn(schema, 'minContains') ? count(schema['minContains']!, at) : 1;
    const most = Object.hasOwn(schema, 'maxContains')
      ? count(schema['maxContains']!, at)
      : Infinity;
    return (v, pointer) => {
      if (!isArray(v)) return undefined;
      const hits = v.filter((item, i) => check(item, `${pointer}/${i}`) === undefined).length;
      return hits >= least && hits <= most
        ? undefined
        : violation(
            pointer,
            'contains',
            `must contain ${least}${most === Infinity ? ' or more' : ` to ${most}`} matching items, has ${hits}`,
          );
    };
  },
  allOf: (context) => all(schemaList(context)),
  anyOf: (context) => {
    const checks = schemaList(context);
    return (v, pointer) =>
      checks.some((check) => check(v, pointer) === undefined)
        ? undefined
        : violation(pointer, 'anyOf', 'must follow at least one of the alternatives');
  },
  oneOf: (context) => {
    const checks = schemaList(context);
    return (v, pointer) => {
      const hits = checks.filter((check) => check(v, pointer) === undefined).length;
      return hits === 1
        ? undefined
        : violation(
            pointer,
            'oneOf',
            `must follow exactly one of the alternatives, follows ${hits}`,
          );
    };
  },
  not: ({ value, at, sub }) => {
    const check = sub(value, at);
    return (v, pointer) =>
      check(v, pointer) === undefined
        ? violation(pointer, 'not', 'must not follow the excluded schema')
        : undefined;
  },
  if: ({ value, schema, at, sub }) => {
    const test = sub(value, at);
    const branch = (name: string): Validate | undefined =>
      Object.hasOwn(schema, name) ? sub(schema[name]!, at.replace(/if$/, name)) : undefined;
    const yes = branch('then');
    const no = branch('else');
    return (v, pointer) => (test(v, pointer) === undefined ? yes : no)?.(v, pointer);
  },
};

const knownKeywords: readonly string[] = [
  ...annotations,
  ...Object.keys(simpleKeywords),
  ...Object.keys(nestedKeywords),
  '$ref',
];

/** For the level `moderate`: whether a stored document follows the schema. */
export function isValid(validate: Validate, document: ValueObject): boolean {
  return validate(document, '') === undefined;
}
