/**
 * The tree the parser makes and everything after it reads. Nodes are immutable (frozen by the
 * parser), plain data, and told apart by `type`. Every property of a node is always present, with
 * `undefined` where the query says nothing, so that nodes of one type share one shape.
 *
 * Names are not resolved here: a `Reference` may turn out to be a variable, a collection, or one of
 * the pseudo variables NEW, OLD and CURRENT; the planner knows the scopes and the catalog.
 */

/** Where a node stands in the query text: UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface NodeBase {
  readonly span: Span;
}

// Queries.

/** A whole query: prefix, WITH list and clauses. */
export interface Query extends NodeBase {
  readonly type: 'Query';
  /** `EXPLAIN` and `PROFILE` prefixes; `run` without one. */
  readonly mode: QueryMode;
  /** `LIVE FOR …`: the query stays open and follows changes. */
  readonly live: boolean;
  /** `WITH a, b`: collections named in advance; empty without the clause. */
  readonly withCollections: readonly CollectionRef[];
  /** Never empty; ends with `Return` or a data modification. */
  readonly clauses: readonly Clause[];
}
export type QueryMode = 'run' | 'explain' | 'profile';

/** A collection at a place where only a collection may stand. */
export type CollectionRef = CollectionName | CollectionParameter;

export interface CollectionName extends NodeBase {
  readonly type: 'CollectionName';
  readonly name: string;
}

/** `@@name` (key `@name`), or `@name` (key `name`) where the grammar wants a collection. */
export interface CollectionParameter extends NodeBase {
  readonly type: 'CollectionParameter';
  /** The name in the bind parameters object: `@name` for `@@name`. */
  readonly key: string;
}

/** The declaration of a variable by FOR, LET, COLLECT and others. */
export interface Variable extends NodeBase {
  readonly type: 'Variable';
  readonly name: string;
}

/** `variable = expression`, in COLLECT and AGGREGATE lists, INTO and PRUNE. */
export interface Assignment extends NodeBase {
  readonly type: 'Assignment';
  readonly variable: Variable;
  readonly value: Expression;
}

// Clauses.

export type Clause =
  | For
  | Traversal
  | PathSearch
  | Filter
  | Let
  | Sort
  | Limit
  | Collect
  | Window
  | Return
  | Modification;

export type Modification = Insert | Update | Replace | Remove | Upsert;

/** `FOR variable IN source [SEARCH expr] [OPTIONS {…}]`. */
export interface For extends NodeBase {
  readonly type: 'For';
  readonly variable: Variable;
  /** A collection by name is a `Reference` or a `CollectionParameter`. */
  readonly source: Expression;
  readonly search: Expression | undefined;
  /** `{indexHint, forceIndexHint, disableIndex, maxProjections, useCache, lookahead, …}`. */
  readonly options: ObjectLiteral | undefined;
}

export type Direction = 'OUTBOUND' | 'INBOUND' | 'ANY';

/** `FOR v, e, p IN depth OUTBOUND start GRAPH g | edges PRUNE … OPTIONS {…}`. */
export interface Traversal extends NodeBase {
  readonly type: 'Traversal';
  readonly vertex: Variable;
  readonly edge: Variable | undefined;
  readonly path: Variable | undefined;
  /** A `Range` (min..max) or one number for both; `undefined` means 1..1. */
  readonly depth: Expression | undefined;
  readonly direction: Direction;
  readonly start: Expression;
  readonly graph: GraphSource;
  /** `TYPE "label", …`: only edges of these types are followed; empty means all. */
  readonly edgeTypes: readonly Expression[];
  readonly prune: Prune | undefined;
  readonly options: ObjectLiteral | undefined;
}

export interface Prune extends NodeBase {
  readonly type: 'Prune';
  /** `PRUNE variable = condition` keeps the condition's value for later clauses. */
  readonly variable: Variable | undefined;
  readonly condition: Expression;
}

export type PathKind = 'SHORTEST_PATH' | 'ALL_SHORTEST_PATHS' | 'K_SHORTEST_PATHS' | 'K_PATHS';

/** `FOR v[, e] IN [depth] OUTBOUND SHORTEST_PATH start TO target GRAPH g | edges OPTIONS {…}`. */
export interface PathSearch extends NodeBase {
  readonly type: 'PathSearch';
  readonly kind: PathKind;
  /** SHORTEST_PATH yields vertex and edge; the other kinds one path, held by `vertex`. */
  readonly vertex: Variable;
  readonly edge: Variable | undefined;
  /** ArangoDB has it with K_PATHS only; the grammar takes it with every kind. */
  readonly depth: Expression | undefined;
  readonly direction: Direction;
  readonly start: Expression;
  readonly target: Expression;
  readonly graph: GraphSource;
  readonly edgeTypes: readonly Expression[];
  readonly options: ObjectLiteral | undefined;
}

export type GraphSource = NamedGraph | EdgeCollections;

/** `GRAPH name`, `GRAPH "name"`, `GRAPH @name`. */
export interface NamedGraph extends NodeBase {
  readonly type: 'NamedGraph';
  readonly name: StringLiteral | BindParameter | CollectionParameter;
}

export interface EdgeCollections extends NodeBase {
  readonly type: 'EdgeCollections';
  readonly collections: readonly EdgeCollection[];
}

export interface EdgeCollection extends NodeBase {
  readonly type: 'EdgeCollection';
  /** Overrides the direction of the traversal for this collection. */
  readonly direction: Direction | undefined;
  readonly collection: CollectionRef;
}

export interface Filter extends NodeBase {
  readonly type: 'Filter';
  readonly condition: Expression;
}

/** One variable: `LET a = 1, b = 2` gives two nodes. */
export interface Let extends NodeBase {
  readonly type: 'Let';
  readonly variable: Variable;
  readonly value: Expression;
}

export interface Sort extends NodeBase {
  readonly type: 'Sort';
  readonly keys: readonly SortKey[];
}

export interface SortKey extends NodeBase {
  readonly type: 'SortKey';
  readonly expression: Expression;
  /** A bind parameter holds true or "ASC", false or "DESC". */
  readonly direction: 'ASC' | 'DESC' | BindParameter;
}

export interface Limit extends NodeBase {
  readonly type: 'Limit';
  /** `undefined` means 0. */
  readonly offset: Expression | undefined;
  readonly count: Expression;
}

/** `COLLECT groups AGGREGATE … INTO … KEEP … WITH COUNT INTO … OPTIONS {…}`. */
export interface Collect extends NodeBase {
  readonly type: 'Collect';
  readonly groups: readonly Assignment[];
  readonly aggregates: readonly Aggregate[];
  readonly into: CollectInto | undefined;
  /** Variables kept in the INTO groups; `undefined` without KEEP. */
  readonly keep: readonly Reference[] | undefined;
  /** `WITH COUNT INTO variable`. */
  readonly countInto: Variable | undefined;
  readonly options: ObjectLiteral | undefined;
}

export interface CollectInto extends NodeBase {
  readonly type: 'CollectInto';
  readonly variable: Variable;
  /** `INTO variable = projection`. */
  readonly projection: Expression | undefined;
}

/** `variable = FUNCTION(…)` in AGGREGATE. */
export interface Aggregate extends NodeBase {
  readonly type: 'Aggregate';
  readonly variable: Variable;
  readonly call: FunctionCall;
}

/** `WINDOW {preceding, following} AGGREGATE …`, or `WINDOW range WITH {…} AGGREGATE …`. */
export interface Window extends NodeBase {
  readonly type: 'Window';
  /** The value whose distance bounds the window; `undefined` counts rows. */
  readonly range: Expression | undefined;
  readonly preceding: Expression | undefined;
  readonly following: Expression | undefined;
  readonly aggregates: readonly Aggregate[];
}

export interface Return extends NodeBase {
  readonly type: 'Return';
  readonly distinct: boolean;
  readonly value: Expression;
}

export interface Insert extends NodeBase {
  readonly type: 'Insert';
  readonly document: Expression;
  readonly collection: CollectionRef;
  readonly options: ObjectLiteral | undefined;
}

/** `UPDATE document IN c` (the key is in the document) or `UPDATE key WITH document IN c`. */
export interface Update extends NodeBase {
  readonly type: 'Update';
  /** A key string or a document holding `_key`. */
  readonly key: Expression | undefined;
  readonly document: Expression;
  readonly collection: CollectionRef;
  readonly options: ObjectLiteral | undefined;
}

/** As `Update`. */
export interface Replace extends NodeBase {
  readonly type: 'Replace';
  readonly key: Expression | undefined;
  readonly document: Expression;
  readonly collection: CollectionRef;
  readonly options: ObjectLiteral | undefined;
}

export interface Remove extends NodeBase {
  readonly type: 'Remove';
  /** A key string or a document holding `_key`. */
  readonly key: Expression;
  readonly collection: CollectionRef;
  readonly options: ObjectLiteral | undefined;
}

/** `UPSERT {…} | FILTER cond INSERT doc UPDATE|REPLACE doc IN c OPTIONS {…}`. */
export interface Upsert extends NodeBase {
  readonly type: 'Upsert';
  /**
   * Either an example (object or bind parameter), or with `searchKind` `filter` a condition in which
   * `CURRENT` is the candidate document.
   */
  readonly search: Expression;
  readonly searchKind: 'example' | 'filter';
  readonly insert: Expression;
  readonly modifyKind: 'UPDATE' | 'REPLACE';
  /** `OLD` in here is the document found. */
  readonly modify: Expression;
  readonly collection: CollectionRef;
  readonly options: ObjectLiteral | undefined;
}

// Expressions.

export type Expression =
  | Literal
  | ArrayLiteral
  | ObjectLiteral
  | Reference
  | BindParameter
  | CollectionParameter
  | Member
  | BoundMember
  | Index
  | Expansion
  | ExpansionItem
  | ArrayTest
  | Unary
  | Binary
  | ArrayComparison
  | Ternary
  | Range
  | FunctionCall
  | Subquery
  | Satisfies;

export type Literal = NullLiteral | BooleanLiteral | NumberLiteral | StringLiteral;

export interface NullLiteral extends NodeBase {
  readonly type: 'Null';
}
export interface BooleanLiteral extends NodeBase {
  readonly type: 'Boolean';
  readonly value: boolean;
}
/** Finite and never negative: `-1` is a `Unary`. */
export interface NumberLiteral extends NodeBase {
  readonly type: 'Number';
  readonly value: number;
}
/** Well-formed Unicode, escapes resolved. */
export interface StringLiteral extends NodeBase {
  readonly type: 'String';
  readonly value: string;
}

export interface ArrayLiteral extends NodeBase {
  readonly type: 'Array';
  readonly elements: readonly Expression[];
}

export interface ObjectLiteral extends NodeBase {
  readonly type: 'Object';
  readonly properties: readonly Property[];
}

export type Property = NamedProperty | BoundProperty | ComputedProperty;

/** `name: value`, `"name": value`, or the shorthand `{name}` whose value is a `Reference`. */
export interface NamedProperty extends NodeBase {
  readonly type: 'NamedProperty';
  readonly name: string;
  readonly value: Expression;
  readonly shorthand: boolean;
}
/** `@name: value`. */
export interface BoundProperty extends NodeBase {
  readonly type: 'BoundProperty';
  readonly key: BindParameter;
  readonly value: Expression;
}
/** `[key]: value`; the key is turned into a string. */
export interface ComputedProperty extends NodeBase {
  readonly type: 'ComputedProperty';
  readonly key: Expression;
  readonly value: Expression;
}

/** A bare name: variable, collection, view, or NEW, OLD, CURRENT. */
export interface Reference extends NodeBase {
  readonly type: 'Reference';
  readonly name: string;
}

/** `@name`. */
export interface BindParameter extends NodeBase {
  readonly type: 'BindParameter';
  readonly name: string;
}

/** `object.name`, and `object["name"]` when the name is constant and does not start with a digit. */
export interface Member extends NodeBase {
  readonly type: 'Member';
  readonly object: Expression;
  readonly name: string;
}

/** `object.@name`: the parameter is a string, or an array of strings for a path. */
export interface BoundMember extends NodeBase {
  readonly type: 'BoundMember';
  readonly object: Expression;
  readonly attribute: BindParameter;
}

/** `object[index]`: a position from the start, or negative from the end, or an attribute name. */
export interface Index extends NodeBase {
  readonly type: 'Index';
  readonly object: Expression;
  readonly index: Expression;
}

/**
 * `source[*]tail`. For each element of `source` (after flattening `levels - 1` levels) that passes
 * `filter`, within `limit`, takes `projection` (or the element itself), then `body`, where
 * `ExpansionItem` stands for that value. `CURRENT` in filter, limit and projection is the element.
 *
 * `a[*].b[*].c` nests: the inner expansion is in the outer one's body. `[**]` and parentheses end
 * the chain: what stands before is evaluated first and is the `source`.
 */
export interface Expansion extends NodeBase {
  readonly type: 'Expansion';
  readonly source: Expression;
  /** The number of stars, at least 1. */
  readonly levels: number;
  readonly filter: Expression | undefined;
  readonly limit: InlineLimit | undefined;
  readonly projection: Expression | undefined;
  /** A chain of accesses that ends in `ExpansionItem`; just that when nothing follows the `]`. */
  readonly body: Expression;
}

export interface InlineLimit extends NodeBase {
  readonly type: 'InlineLimit';
  readonly offset: Expression | undefined;
  readonly count: Expression;
}

/** The current element of the innermost `Expansion` in whose body it stands. */
export interface ExpansionItem extends NodeBase {
  readonly type: 'ExpansionItem';
}

/**
 * `source[? quantifier FILTER condition]`: whether as many elements as the quantifier says (at
 * least one without it) satisfy the condition; `CURRENT` is the element. `[?]` asks for any element.
 */
export interface ArrayTest extends NodeBase {
  readonly type: 'ArrayTest';
  readonly source: Expression;
  /** The number of question marks, at least 1; `levels - 1` levels are flattened first. */
  readonly levels: number;
  readonly quantifier: Quantifier | undefined;
  readonly filter: Expression | undefined;
}

/** How many: `COUNT` holds a number (`[? 2 FILTER …]`) or a `Range` (`[? 2..4 FILTER …]`). */
export interface Quantifier extends NodeBase {
  readonly type: 'Quantifier';
  readonly kind: QuantifierKind;
  /** Of AT LEAST and COUNT. */
  readonly count: Expression | undefined;
}
export type QuantifierKind = 'ALL' | 'ANY' | 'NONE' | 'AT LEAST' | 'COUNT';

export type UnaryOperator = '!' | '-' | '+';

export interface Unary extends NodeBase {
  readonly type: 'Unary';
  /** `NOT x` is `!`. */
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'IN' | 'NOT IN';
export type BinaryOperator =
  | ComparisonOperator
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&&'
  | '||'
  | 'LIKE'
  | 'NOT LIKE'
  | '=~'
  | '!~';

/** `AND` is `&&`, `OR` is `||`. */
export interface Binary extends NodeBase {
  readonly type: 'Binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `left ALL|ANY|NONE|AT LEAST (n) operator right`. */
export interface ArrayComparison extends NodeBase {
  readonly type: 'ArrayComparison';
  readonly quantifier: Quantifier;
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `condition ? then : otherwise`; without `then` (`a ?: b`) the condition's own value. */
export interface Ternary extends NodeBase {
  readonly type: 'Ternary';
  readonly condition: Expression;
  readonly then: Expression | undefined;
  readonly otherwise: Expression;
}

export interface Range extends NodeBase {
  readonly type: 'Range';
  readonly from: Expression;
  readonly to: Expression;
}

export interface FunctionCall extends NodeBase {
  readonly type: 'FunctionCall';
  /** Upper case, with its namespaces: `LENGTH`, `MYAPP::SCORE`. */
  readonly name: string;
  readonly arguments: readonly Expression[];
}

/** A query in parentheses, or standing as a function argument: an array of its results. */
export interface Subquery extends NodeBase {
  readonly type: 'Subquery';
  readonly clauses: readonly Clause[];
}

/** `ANY|ALL|NONE variable IN source SATISFIES condition`. */
export interface Satisfies extends NodeBase {
  readonly type: 'Satisfies';
  readonly quantifier: 'ALL' | 'ANY' | 'NONE';
  readonly variable: Variable;
  readonly source: Expression;
  readonly condition: Expression;
}

/** The nodes that are neither query, clause nor expression but part of one. */
export type PartNode =
  | CollectionName
  | Variable
  | Assignment
  | Prune
  | NamedGraph
  | EdgeCollections
  | EdgeCollection
  | SortKey
  | CollectInto
  | Aggregate
  | InlineLimit
  | Quantifier
  | Property;

export type Node = Query | Clause | Expression | PartNode;
export type NodeType = Node['type'];
export type NodeOf<T extends NodeType> = Extract<Node, { readonly type: T }>;
