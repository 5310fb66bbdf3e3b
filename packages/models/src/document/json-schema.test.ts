import { describe, expect, test } from 'vitest';
import { hasCode, type Value } from '@themisdb/base';
import { compileSchema } from './json-schema.ts';

/** Each case: schema, values that follow it, values that do not with the pointer of the fault. */
const cases: [string, Value, Value[], [Value, string][]][] = [
  [
    'type',
    { type: 'integer' },
    [1, -0, 2 ** 53],
    [
      [1.5, '/'],
      ['1', '/'],
      [null, '/'],
    ],
  ],
  ['types', { type: ['string', 'null'] }, ['a', null], [[1, '/']]],
  [
    'enum',
    { enum: [1, 'a', null, { x: [1] }] },
    [1, 'a', null, { x: [1] }],
    [
      [2, '/'],
      [{ x: [2] }, '/'],
    ],
  ],
  ['const', { const: { a: 1 } }, [{ a: 1 }], [[{ a: 2 }, '/']]],
  [
    'bounds',
    { minimum: 1, exclusiveMaximum: 3 },
    [1, 2.99, 'text'],
    [
      [0.99, '/'],
      [3, '/'],
    ],
  ],
  ['multipleOf', { multipleOf: 0.1 }, [0.3, 1, 0], [[0.35, '/']]],
  [
    'length',
    { minLength: 2, maxLength: 3 },
    ['ab', '😀😀😀', 5],
    [
      ['a', '/'],
      ['abcd', '/'],
      ['😀', '/'],
    ],
  ],
  ['pattern', { pattern: '^a+$' }, ['aaa', 1], [['ab', '/']]],
  [
    'format',
    { format: 'date' },
    ['2024-02-29', 7],
    [
      ['2023-02-29', '/'],
      ['x', '/'],
    ],
  ],
  ['items', { type: 'array', items: { type: 'number' } }, [[], [1, 2]], [[[1, 'x'], '/1']]],
  [
    'prefixItems',
    { prefixItems: [{ type: 'string' }], items: false },
    [['a'], []],
    [
      [['a', 1], '/1'],
      [[1], '/0'],
    ],
  ],
  [
    'uniqueItems',
    { uniqueItems: true },
    [[1, '1', [1]], []],
    [
      [[1, 2, 1], '/'],
      [[{ a: 1 }, { a: 1 }], '/'],
    ],
  ],
  [
    'contains',
    { contains: { const: 1 }, minContains: 2, maxContains: 3 },
    [
      [1, 1],
      [1, 1, 1, 2],
    ],
    [
      [[1], '/'],
      [[1, 1, 1, 1], '/'],
    ],
  ],
  [
    'counts',
    { minItems: 1, maxItems: 2, minProperties: 1, maxProperties: 2 },
    [[1], { a: 1 }],
    [
      [[], '/'],
      [{}, '/'],
      [[1, 2, 3], '/'],
      [{ a: 1, b: 1, c: 1 }, '/'],
    ],
  ],
  [
    'properties',
    { properties: { a: { properties: { 'b/c': { type: 'number' } } } } },
    [{}, { a: {} }, { a: { 'b/c': 1 } }],
    [[{ a: { 'b/c': 'x' } }, '/a/b~1c']],
  ],
  ['required', { required: ['a', 'b'] }, [{ a: 1, b: null }, 3], [[{ a: 1 }, '/']]],
  [
    'additional',
    {
      properties: { a: true },
      patternProperties: { '^x': { type: 'string' } },
      additionalProperties: false,
    },
    [{ a: 1, x1: 's' }],
    [
      [{ b: 1 }, '/b'],
      [{ x1: 1 }, '/x1'],
    ],
  ],
  [
    'additional schema',
    { additionalProperties: { type: 'number' } },
    [{ b: 1 }],
    [[{ b: 's' }, '/b']],
  ],
  ['propertyNames', { propertyNames: { maxLength: 2 } }, [{ ab: 1 }], [[{ abc: 1 }, '/abc']]],
  [
    'dependent',
    { dependentRequired: { a: ['b'] }, dependentSchemas: { c: { required: ['d'] } } },
    [{ a: 1, b: 1 }, { b: 1 }, { c: 1, d: 1 }],
    [
      [{ a: 1 }, '/'],
      [{ c: 1 }, '/'],
    ],
  ],
  [
    'combinators',
    { allOf: [{ type: 'number' }, { minimum: 1 }], not: { const: 5 } },
    [1],
    [
      [5, '/'],
      [0, '/'],
      ['x', '/'],
    ],
  ],
  ['anyOf', { anyOf: [{ type: 'string' }, { minimum: 3 }] }, ['a', 3], [[2, '/']]],
  [
    'oneOf',
    { oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] },
    [2, 3],
    [
      [6, '/'],
      [1, '/'],
    ],
  ],
  [
    'if',
    {
      if: { properties: { k: { const: 1 } }, required: ['k'] },
      then: { required: ['a'] },
      else: { required: ['b'] },
    },
    [{ k: 1, a: 1 }, { b: 1 }],
    [
      [{ k: 1 }, '/'],
      [{ k: 2 }, '/'],
    ],
  ],
  [
    '$ref, recursive',
    {
      $ref: '#/$defs/tree',
      $defs: {
        tree: {
          type: 'object',
          properties: { children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
        },
      },
    },
    [{ children: [{ children: [] }] }],
    [[{ children: [{ children: [1] }] }, '/children/0/children/0']],
  ],
  ['booleans', { properties: { a: false, b: true } }, [{ b: 1 }], [[{ a: 1 }, '/a']]],
  [
    'attribute names of the platform',
    { properties: { constructor: { type: 'number' } }, required: ['toString'] },
    [{ toString: 1 } as unknown as Value],
    [
      [{}, '/'],
      [{ toString: 1, constructor: 'x' } as unknown as Value, '/constructor'],
    ],
  ],
];

describe.each(cases)('%s', (_, schema, good, bad) => {
  const validate = compileSchema(schema);
  test('accepts what follows it', () => {
    expect(good.map((value) => validate(value, ''))).toEqual(good.map(() => undefined));
  });
  test('names the place of what does not', () => {
    expect(bad.map(([value]) => validate(value, '')?.pointer)).toEqual(bad.map(([, at]) => at));
  });
});

test.each<[string, Value, RegExp]>([
  ['an unknown keyword', { requierd: ['a'] }, /did you mean "required"/],
  ['an unknown type', { type: 'strin' }, /unknown type/],
  ['a bad pattern', { pattern: '(' }, /regular expression/],
  ['a look-behind', { pattern: '(?<=a)b' }, /regular expression/],
  ['an outside reference', { $ref: 'other.json' }, /inside the schema/],
  ['a dangling reference', { $ref: '#/$defs/x' }, /points to nothing/],
  ['an unknown format', { format: 'colour' }, /not supported/],
  [
    'a nested fault, by place',
    { properties: { a: { items: { minimum: 'x' } } } },
    /#\/properties\/a\/items\/minimum/,
  ],
])('refuses %s', (_, schema, message) => {
  let caught: unknown;
  try {
    compileSchema(schema);
  } catch (error) {
    caught = error;
  }
  expect(hasCode(caught, 'INVALID_SCHEMA')).toBe(true);
  expect((caught as Error).message).toMatch(message);
});

test('a hostile pattern and text stay linear', () => {
  const validate = compileSchema({ pattern: '^(a+)+$' });
  expect(validate('a'.repeat(20_000) + 'b', '')?.keyword).toBe('pattern');
});

test.each([
  ['ipv4', '127.0.0.1', '256.0.0.1'],
  ['ipv6', '2001:db8::1', '2001:db8:::1'],
  ['ipv6', '::ffff:1.2.3.4', '1:2:3:4:5:6:7'],
  ['date-time', '2024-02-29T23:59:60Z', '2024-02-30T00:00:00Z'],
  ['time', '12:00:00+02:00', '24:00:00Z'],
  ['email', 'a@b.example', 'a@b@c'],
  ['uuid', '550e8400-e29b-41d4-a716-446655440000', '550e8400e29b41d4a716446655440000'],
  ['uri', 'urn:themis:x', 'no scheme'],
  ['hostname', 'a-b.example', '-a.example'],
])('format %s takes %s and refuses %s', (format, good, bad) => {
  const validate = compileSchema({ format });
  expect(validate(good, '')).toBeUndefined();
  expect(validate(bad, '')?.keyword).toBe('format');
});

test('a schema that refers to itself without descending ends', () => {
  expect(compileSchema({ $ref: '#' })(1, '')?.keyword).toBe('$ref');
});
