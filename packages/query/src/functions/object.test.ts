import { expect, test } from 'vitest';
import { both, bothWays, type Cases } from '../expression/testing.ts';

const T = 'AQL_INVALID_ARGUMENT_TYPE';
const cases: Cases = [
  ['ATTRIBUTES({foo: "bar", _key: "123", _custom: "yes"})', ['foo', '_key', '_custom']],
  ['ATTRIBUTES({foo: "bar", _key: "123", _custom: "yes"}, true)', ['foo']],
  [
    'ATTRIBUTES({foo: "bar", _key: "123", _custom: "yes"}, false, true)',
    ['_custom', '_key', 'foo'],
  ],
  ['KEYS({})', []],
  ['KEYS([])', null, T],
  ['VALUES({_id: "users/jane", name: "Jane"})', ['users/jane', 'Jane']],
  ['VALUES({_id: "users/jane", name: "Jane"}, true)', ['Jane']],
  [
    'ENTRIES({a: 1, b: null})',
    [
      ['a', 1],
      ['b', null],
    ],
  ],
  ['VALUE({foo: {bar: [1, {baz: 2}]}}, ["foo", "bar", 1, "baz"])', 2],
  ['VALUE({foo: 1}, ["foo", "bar"])', null],
  ['VALUE({foo: 1}, [])', null],
  ['VALUE({foo: 1}, "foo")', null, T],
  ['HAS({name: "Jane"}, "name")', true],
  ['HAS({name: null}, "name")', true],
  ['HAS({name: "Jane"}, "age")', false],
  ['HAS({}, "constructor")', false],
  ['HAS({"1": 2}, 1)', true],
  ['HAS(1, "name")', false],
  ['KEEP({firstname: "Jane", age: 3, x: 1}, "age", "firstname")', { firstname: 'Jane', age: 3 }],
  ['KEEP({a: 1, b: 2}, ["a", "z"])', { a: 1 }],
  ['KEEP({a: 1}, {})', {}],
  ['KEEP({a: 1}, [1, "a"])', { a: 1 }, T],
  ['KEEP_RECURSIVE({a: 1, b: {a: 2, c: 3}, d: {a: 1}}, "a", "b")', { a: 1, b: { a: 2 } }],
  ['UNSET({a: 1, b: 2, c: 3}, "a", ["b"])', { c: 3 }],
  ['UNSET("x", "a")', null, T],
  ['UNSET_RECURSIVE({a: 1, b: {a: 2, c: 3}}, "a")', { b: { c: 3 } }],
  [
    'MERGE({user1: {name: "Jane"}}, {user2: {name: "Tom"}})',
    { user1: { name: 'Jane' }, user2: { name: 'Tom' } },
  ],
  ['MERGE({users: {a: 1}}, {users: {b: 2}})', { users: { b: 2 } }],
  [
    'MERGE([{foo: "bar"}, {quux: "quetzalcoatl", ruled: true}, {bar: "baz", foo: "done"}])',
    { foo: 'done', quux: 'quetzalcoatl', ruled: true, bar: 'baz' },
  ],
  ['MERGE([])', {}],
  ['MERGE({a: 1}, 1)', null, T],
  [
    'MERGE_RECURSIVE({"user-1": {name: "Jane", l: {c: "LA"}}}, {"user-1": {age: 42, l: {s: "CA"}}})',
    { 'user-1': { name: 'Jane', l: { c: 'LA', s: 'CA' }, age: 42 } },
  ],
  ['MERGE_RECURSIVE({a: [1]}, {a: [2]})', { a: [2] }],
  ['MATCHES({name: "jane", age: 27, active: true}, {age: 27, active: true})', true],
  ['MATCHES({test: 1}, [{test: 2}, {test: 1}], true)', 1],
  ['MATCHES({test: 1}, {test: 1, gone: null})', true],
  ['MATCHES({test: 1}, {test: 1, gone: 5})', false],
  ['MATCHES({test: 1}, [1], true)', -1, T],
  ['MATCHES(1, {})', false],
  ['TRANSLATE("FR", {US: "United States", UK: "United Kingdom", FR: "France"})', 'France'],
  ['TRANSLATE(42, {foo: "bar", bar: "baz"})', 42],
  ['TRANSLATE(42, {foo: "bar", bar: "baz"}, "not found!")', 'not found!'],
  ['TRANSLATE(1, {"1": "one"})', 'one'],
  ['TRANSLATE("x", 1)', null, T],
  [
    'ZIP(["name", "active", "hobbies"], ["some user", true, ["swimming"]])',
    { name: 'some user', active: true, hobbies: ['swimming'] },
  ],
  ['ZIP(["a", "a"], [1, 2])', { a: 1 }],
  ['ZIP(["a"], [1, 2])', null, T],
  ['CHECK_DOCUMENT({a: 1})', true],
  ['CHECK_DOCUMENT(1)', false],
  ['PARSE_IDENTIFIER("_users/my-user")', { collection: '_users', key: 'my-user' }],
  [
    'PARSE_IDENTIFIER({_id: "mycollection/mykey", value: 1})',
    { collection: 'mycollection', key: 'mykey' },
  ],
  [
    'PARSE_IDENTIFIER("urn:themis:document:default:users:123e4567-e89b-12d3-a456-426614174000")',
    { collection: 'users', key: '123e4567-e89b-12d3-a456-426614174000' },
  ],
  ['PARSE_IDENTIFIER("urn:themis:nonsense")', null, T],
  ['PARSE_IDENTIFIER("foo")', null, T],
  ['PARSE_IDENTIFIER(1)', null, T],
  ['PARSE_COLLECTION("_users/my-user")', '_users'],
  ['PARSE_KEY("users/a/b")', 'a/b'],
  ['IS_SAME_COLLECTION("_users", "_users/my-user")', true],
  ['IS_SAME_COLLECTION("_users", {_id: "_users/my-user"})', true],
  ['IS_SAME_COLLECTION("_users", "foobar/baz")', false],
  ['IS_SAME_COLLECTION("_users", {something: "else"})', null, T],
];

test.each(cases)('%s', (text, value, warning) => {
  expect(bothWays(text)).toEqual(both(value, warning));
});
