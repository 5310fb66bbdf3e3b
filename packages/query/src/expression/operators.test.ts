import { describe, expect, test } from 'vitest';
import { both, bothWays, evaluate, type Cases, type Surroundings } from './testing.ts';

const around: Surroundings = {
  variables: {
    doc: { a: { b: { c: 1 } }, list: [1, 2, 3], __proto__x: 1, name: 'n' },
    nested: [[1, 2], 3, [4, [5]], 6],
    users: [
      {
        name: 'john',
        age: 35,
        friends: [
          { name: 'tina', age: 43 },
          { name: 'helga', age: 52 },
        ],
      },
      { name: 'yves', age: 24, friends: [{ name: 'sergei', age: 27 }] },
      { name: 'sandra', age: 40 },
    ],
    nothing: null,
  },
  binds: { object: { a: 1 }, key: 'a', path: ['a', 'b'], list: [1, 'x', [1], { q: null }] },
};

function checkAll(cases: Cases): void {
  test.each(cases)('%s', (text, value, warning) => {
    expect(bothWays(text, around)).toEqual(both(value, warning));
  });
}

describe('comparison operators', () => {
  checkAll([
    ['0 == null', false],
    ['1 > 0', true],
    ['true != null', true],
    ['45 <= "yikes!"', true],
    ['65 != "65"', true],
    ['65 == 65', true],
    ['1.23 > 1.32', false],
    ['1.5 IN [2, 3, 1.5]', true],
    ['"foo" IN null', false],
    ['"foo" NOT IN null', false],
    ['42 NOT IN [17, 40, 50]', true],
    ['[1] IN [[1], 2]', true],
    ['{a: 1, b: 2} IN [{b: 2, a: 1}]', true],
    ['"abc" == "ABC"', false],
    ['[1, 2] == [1, 2]', true],
    ['{a: 1} == {a: 1, b: null}', true],
    ['null < false', true],
    ['false < true', true],
    ['true < 0', true],
    ['0 < ""', true],
    ['"z" < []', true],
    ['[9] < {}', true],
    ['null <= null', true],
    ['nothing.a == null', true],
    ['"a" < 5', false],
    ['[] >= 5', true],
    ['null >= 5', false],
    ['1 IN 1..3', true],
  ]);
});

describe('LIKE and regular expressions', () => {
  checkAll([
    ['"foo" LIKE "f%"', true],
    ['"foo" NOT LIKE "f%"', false],
    ['"abc" LIKE "_bc"', true],
    ['"abc" LIKE "a_"', false],
    ['"a_b_foo" LIKE "a\\\\_b\\\\_foo"', true],
    ['"axb" LIKE "a\\\\_b"', false],
    ['"a\\\\b" LIKE "a\\\\\\\\b"', true],
    ['"foo bar baz" LIKE "bar"', false],
    ['"foo bar baz" LIKE "%bar%"', true],
    ['"abcbcd" LIKE "a%bcd"', true],
    ['"x😀y" LIKE "x_y"', true],
    ['"a\\nb" LIKE "a_b"', true],
    ['"" LIKE ""', true],
    ['"" LIKE "%"', true],
    ['"foo" =~ "^f[o].$"', true],
    ['"foo" !~ "[a-z]+bar$"', true],
    ['"foo" =~ "(?=f)oo"', null, 'AQL_INVALID_REGEX'],
    ['"foo" =~ "("', null, 'AQL_INVALID_REGEX'],
  ]);
});

describe('logical operators', () => {
  checkAll([
    ['1 || 7', 1],
    ['null || "foo"', 'foo'],
    ['null && true', null],
    ['true && 23', 23],
    ['[] && 1', 1],
    ['{} && 1', 1],
    ['"" || 0', 0],
    ['1 || ! 0', 1],
    ['!""', true],
    ['NOT []', false],
    ['0 && 1 / 0', 0],
    ['1 || 1 / 0', 1],
    ['1 > 0 ? "yes" : 1 / 0', 'yes'],
    ['0 ? 1 / 0 : "no"', 'no'],
    ['5 ?: 6', 5],
    ['0 ?: 6', 6],
  ]);
});

describe('arithmetic operators', () => {
  checkAll([
    ['1 + "a"', 1],
    ['1 + "99"', 100],
    ['1 + null', 1],
    ['3 + []', 3],
    ['24 + [2]', 26],
    ['24 + [2, 4]', 24],
    ['24 + [["5"]]', 29],
    ['25 - null', 25],
    ['17 - true', 16],
    ['23 * {}', 0],
    ['5 * [7]', 35],
    ['24 / "12"', 2],
    ['"foo" + "bar"', 0],
    ['" 1.5e3 " + 0', 1500],
    ['"0x10" + 0', 16],
    ['"1x" + 0', 0],
    ['"Infinity" + 0', 0],
    ['23 % 7', 2],
    ['-5 % 3', -2],
    ['5.5 % 2', 1.5],
    ['-"3"', -3],
    ['+"x"', 0],
    ['-0', 0],
    ['0 * -1', 0],
    ['1 / 0', null, 'AQL_DIVISION_BY_ZERO'],
    ['1 % 0', null, 'AQL_DIVISION_BY_ZERO'],
    ['1 / "x"', null, 'AQL_DIVISION_BY_ZERO'],
    ['1e308 * 10', null, 'AQL_NUMBER_OUT_OF_RANGE'],
    ['1e308 + 1e308', null, 'AQL_NUMBER_OUT_OF_RANGE'],
  ]);
});

describe('ranges', () => {
  checkAll([
    ['1..4', [1, 2, 3, 4]],
    ['3..1', [3, 2, 1]],
    ['1.9..3.9', [1, 2, 3]],
    ['"2"..3', [2, 3]],
    ['-1..1', [-1, 0, 1]],
  ]);
  test('a range that would not fit is refused', () => {
    expect(() => evaluate('1..100000000')).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });
});

describe('access', () => {
  checkAll([
    ['doc.a.b.c', 1],
    ['doc.a.b', { c: 1 }],
    ['doc.x.y.z', null],
    ['nothing.x', null],
    ['doc.name.x', null],
    ['doc.constructor', null],
    ['@object.constructor', null],
    ['doc.__proto__', null],
    ['doc["toString"]', null],
    ['doc.list[0]', 1],
    ['doc.list[-1]', 3],
    ['doc.list[-4]', null],
    ['doc.list[3]', null],
    ['doc.list["1"]', 2],
    ['doc.list["x"]', null],
    ['doc.list[1.9]', 2],
    ['doc.list.length', null],

    ['{"1": "one"}[1]', 'one'],
    ['doc[null]', null],
    ['doc.@key.b.c', 1],
    ['doc.@path', { c: 1 }],
    ['doc.@path.c', 1],
    ['@list[3].q', null],
    ['{[CONCAT("a", 1)]: 2}', { a1: 2 }],
    ['{[1 + 1]: 2, a: 1}.a', 1],
    ['{a: 1, b: 2, a: 3}', { a: 3, b: 2 }],
    ['{@key: 5}', { a: 5 }],
    ['{"__proto__": 1}["__proto__"]', 1],
  ]);
});

describe('array expansion', () => {
  checkAll([
    ['users[*].name', ['john', 'yves', 'sandra']],
    ['users[*].friends[*].name', [['tina', 'helga'], ['sergei'], []]],
    ['users[*].friends[**].name', ['tina', 'helga', 'sergei', null]],
    ['users[* FILTER CURRENT.age > 30].name', ['john', 'sandra']],
    ['users[* LIMIT 1].name', ['john']],
    ['users[* LIMIT 1, 1].name', ['yves']],
    ['users[* FILTER CURRENT.age > 30 LIMIT 1, 5 RETURN CURRENT.name]', ['sandra']],
    ['users[* RETURN {n: CURRENT.name}].n', ['john', 'yves', 'sandra']],
    ['users[* RETURN CURRENT.friends[* FILTER CURRENT.age > 45]][*].name', [['helga'], [], []]],
    ['nested[*]', [[1, 2], 3, [4, [5]], 6]],
    ['nested[**]', [1, 2, 3, 4, [5], 6]],
    ['nested[***]', [1, 2, 3, 4, 5, 6]],
    ['nested[** FILTER CURRENT % 2 == 0]', [2, 4, 6]],
    ['nothing[*]', []],
    ['nothing[*].x', []],
    ['doc.name[*]', []],
    ['{a: 1}[*]', []],
    ['[1, 2, 3][* LIMIT 0]', []],
    ['[1, 2, 3][* LIMIT -1, 2]', []],
  ]);
});

describe('question mark operator', () => {
  checkAll([
    ['[1, 2, 3, 4][? 2 FILTER CURRENT % 2 == 0]', true],
    ['[1, 2, 3, 4][? 1 FILTER CURRENT % 2 == 0]', false],
    ['[1, 2, 3, 4][? 2..3 FILTER CURRENT % 2 == 0]', true],
    ['[1, 2, 3, 4][? 3..4 FILTER CURRENT % 2 == 0]', false],
    ['[1, 2, 3, 4][? ANY FILTER CURRENT > 3]', true],
    ['[1, 2, 3, 4][? FILTER CURRENT > 4]', false],
    ['[1, 2, 3, 4][? ALL FILTER CURRENT > 0]', true],
    ['[][? ALL FILTER CURRENT > 0]', true],
    ['[1, 2, 3, 4][? NONE FILTER CURRENT > 4]', true],
    ['[1, 2, 3, 4][? AT LEAST (2) FILTER CURRENT > 2]', true],
    ['[1, 2, 3, 4][? AT LEAST (3) FILTER CURRENT > 2]', false],
    ['[1][?]', true],
    ['[][?]', false],
    ['nothing[?]', false],
  ]);
});

describe('array comparison operators', () => {
  checkAll([
    ['[1, 2, 3] ALL IN [2, 3, 4]', false],
    ['[1, 2, 3] ALL IN [1, 2, 3]', true],
    ['[1, 2, 3] NONE IN [3]', false],
    ['[1, 2, 3] NONE IN [23, 42]', true],
    ['[1, 2, 3] ANY IN [4, 5, 6]', false],
    ['[1, 2, 3] ANY IN [1, 42]', true],
    ['[1, 2, 3] ANY == 2', true],
    ['[1, 2, 3] ANY == 4', false],
    ['[1, 2, 3] ANY > 0', true],
    ['[1, 2, 3] ANY <= 1', true],
    ['[1, 2, 3] NONE < 99', false],
    ['[1, 2, 3] NONE > 10', true],
    ['[1, 2, 3] ALL > 2', false],
    ['[1, 2, 3] ALL > 0', true],
    ['[1, 2, 3] ALL >= 3', false],
    ['["foo", "bar"] ALL != "moo"', true],
    ['["foo", "bar"] NONE == "bar"', false],
    ['["foo", "bar"] ANY == "foo"', true],
    ['[1, 2, 3] AT LEAST (2) IN [2, 3, 4]', true],
    ['["foo", "bar"] AT LEAST (1 + 1) == "foo"', false],
    ['[1, 2] ANY NOT IN [1]', true],
    ['[] ALL == 1', false],
    ['[] ANY == 1', false],
    ['[] NONE == 1', true],
    ['5 ANY == 5', false],
    ['[1] ANY IN 1', false],
  ]);
});

describe('quantified conditions', () => {
  checkAll([
    ['ANY x IN [1, 2, 3] SATISFIES x > 2', true],
    ['ANY x IN [] SATISFIES x > 2', false],
    ['ALL x IN [1, 2, 3] SATISFIES x > 0', true],
    ['ALL x IN [] SATISFIES x > 0', true],
    ['NONE x IN [1, 2, 3] SATISFIES x > 3', true],
    ['NONE x IN [1, 2, 3] SATISFIES x == 3', false],
  ]);
});

describe('faults found while compiling', () => {
  test.each([
    ['missing', 'AQL_UNKNOWN_VARIABLE'],
    ['@missing', 'AQL_BIND_MISSING'],
    ['doc.@list', 'AQL_BIND_TYPE'],
    ['NO_SUCH_FUNCTION(1)', 'AQL_UNKNOWN_FUNCTION'],
    ['UPPER()', 'AQL_FUNCTION_ARGUMENTS'],
    ['UPPER(1, 2)', 'AQL_FUNCTION_ARGUMENTS'],
    ['GEO_POINT(1, 2)', 'NOT_IMPLEMENTED'],
    ['(FOR x IN [1] RETURN x)', 'NOT_IMPLEMENTED'],
  ])('%s', (text, code) => {
    expect(() => evaluate(text, around)).toThrow(expect.objectContaining({ code }));
  });

  test('the message for a mistyped function suggests the nearest one', () => {
    expect(() => evaluate('LENGHT(1)')).toThrow(/LENGTH\(\)/);
  });
});
