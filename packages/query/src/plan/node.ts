import type { ValueObject } from '@themisdb/base';
import type { Expression, Span } from '@themisdb/aql';
import type { CollectionInfo, IndexInfo } from '@themisdb/storage';

/**
 * The plan of a query: a chain of nodes per (sub)query, first to run first. The binder makes it, rules
 * rewrite it, `exec/lower.ts` turns it into operators. Plain immutable data: rules build new nodes.
 *
 * In the expressions of a plan all names are resolved: a `Reference` names a variable that is unique
 * in the whole query (`x~2` is the second variable the query calls `x`), `@name` the value of a bind
 * parameter, `#3` a value the planner hoisted. Subqueries stand as nodes of their own before the node
 * that uses their result, so an expression never waits.
 */
export type PlanNode =
  | ScanNode
  | EnumerateNode
  | FilterNode
  | LetNode
  | SubqueryNode
  | LookupNode
  | MaterialiseNode
  | CountNode
  | SortNode
  | LimitNode
  | CollectNode
  | WindowNode
  | ModifyNode
  | UpsertNode
  | ReturnNode;

export type Pipeline = readonly PlanNode[];

interface NodeBase {
  /** Unique in the plan; kept by rewrites that keep the node's meaning. */
  readonly id: number;
}

/** `FOR variable IN collection`, with the way to its rows and the conditions tried on each. */
export interface ScanNode extends NodeBase {
  readonly type: 'scan';
  readonly variable: string;
  readonly collection: CollectionInfo;
  readonly access: Access;
  /** Tried on every row before anything else is read of it. */
  readonly filters: readonly Expression[];
  /** Conditions the access makes true, so that they need not be tried. */
  readonly covered: readonly Expression[];
  readonly output: ScanOutput;
  /** Rows wanted of the whole scan, from a LIMIT that follows. */
  readonly limit: Expression | undefined;
  readonly hint: IndexHint | undefined;
}

/** What later nodes (and the filters) need of each row. */
export interface ScanOutput {
  /**
   * Whether the whole document goes into the variable's register: before the filters are tried,
   * after, or (`record`) only when a MaterialiseNode asks for it.
   */
  readonly document: 'none' | 'early' | 'late' | 'record';
  /** These attributes go into registers of their own. */
  readonly projections: readonly Projection[];
}
export interface Projection {
  readonly steps: readonly string[];
  /** Read before the filters are tried, because they need it; the others for rows that pass. */
  readonly early: boolean;
}

export interface IndexHint {
  readonly names: readonly string[];
  readonly force: boolean;
  readonly disable: boolean;
}

export type Access = FullAccess | PrimaryAccess | IndexAccess | HashAccess;

export interface FullAccess {
  readonly type: 'full';
}

/** By `_key`, `_id` or `_urn`: one read per distinct value. */
export interface PrimaryAccess {
  readonly type: 'primary';
  readonly attribute: '_key' | '_id' | '_urn';
  readonly value: Expression;
  /** `value` is the array of an IN. */
  readonly many: boolean;
}

/** One or more ranges of one index or (an OR) of several. */
export interface IndexAccess {
  readonly type: 'index';
  readonly ranges: readonly IndexRangePlan[];
  readonly reverse: boolean;
  /** The index holds all that is needed: records are not read. */
  readonly covering: boolean;
  /** The same entity may come up twice and must be given once. */
  readonly deduplicate: boolean;
}

export interface IndexRangePlan {
  readonly index: IndexInfo;
  readonly equal: readonly EqualBound[];
  readonly lower: RangeBound | undefined;
  readonly upper: RangeBound | undefined;
}
export interface EqualBound {
  readonly value: Expression;
  /** `value` is the array of an IN: each of its distinct elements in turn, in index order. */
  readonly many: boolean;
}
export interface RangeBound {
  readonly value: Expression;
  readonly inclusive: boolean;
}

/** The inner side of an equality join, read once into a hash table. */
export interface HashAccess {
  readonly type: 'hash';
  /** How the build side is read; does not depend on outer rows. */
  readonly build: FullAccess | IndexAccess;
  /** Conditions on the inner variable alone, tried while building. */
  readonly buildFilters: readonly Expression[];
  readonly keys: readonly { readonly inner: Expression; readonly outer: Expression }[];
}

/** `FOR variable IN expression`. */
export interface EnumerateNode extends NodeBase {
  readonly type: 'enumerate';
  readonly variable: string;
  readonly list: Expression;
}

export interface FilterNode extends NodeBase {
  readonly type: 'filter';
  readonly condition: Expression;
}

export interface LetNode extends NodeBase {
  readonly type: 'let';
  readonly variable: string;
  readonly value: Expression;
}

/** The array of a subquery's results. */
export interface SubqueryNode extends NodeBase {
  readonly type: 'subquery';
  readonly variable: string;
  readonly body: Pipeline;
  /** It depends on no variable of the rows: computed once per execution, when first needed. */
  readonly once: boolean;
  readonly modifies: boolean;
}

/** DOCUMENT(): entities fetched by id. */
export interface LookupNode extends NodeBase {
  readonly type: 'lookup';
  readonly variable: string;
  /** Of the two-argument form; an expression giving its name. */
  readonly collection: Expression | undefined;
  readonly ids: Expression;
}

/** Decodes the documents of a scan that handed on encoded records. */
export interface MaterialiseNode extends NodeBase {
  readonly type: 'materialise';
  readonly variable: string;
}

/** COUNT(collection) and the like. */
export interface CountNode extends NodeBase {
  readonly type: 'count';
  readonly variable: string;
  readonly collection: CollectionInfo;
}

export interface SortNode extends NodeBase {
  readonly type: 'sort';
  readonly keys: readonly PlanSortKey[];
  /** Only that many of the first rows are wanted (offset + count of a following LIMIT). */
  readonly top: Expression | undefined;
}
export interface PlanSortKey {
  readonly expression: Expression;
  readonly descending: boolean;
}

export interface LimitNode extends NodeBase {
  readonly type: 'limit';
  readonly offset: Expression | undefined;
  readonly count: Expression;
  /** Read on after the limit to count all rows. */
  readonly fullCount: boolean;
}

export interface CollectNode extends NodeBase {
  readonly type: 'collect';
  readonly groups: readonly NamedExpression[];
  readonly aggregates: readonly PlanAggregate[];
  /** For each row of a group, `value` goes into the array `variable`. */
  readonly into: NamedExpression | undefined;
  readonly count: string | undefined;
  /**
   * `hash`: groups in a table, any input order. `sorted`: the input comes grouped. `count`: nothing
   * but the number of rows.
   */
  readonly method: 'hash' | 'sorted' | 'count';
  /** Give the groups in ascending order of their values. */
  readonly ordered: boolean;
}
export interface NamedExpression {
  readonly variable: string;
  readonly value: Expression;
}
export interface PlanAggregate {
  readonly variable: string;
  /** Upper case. */
  readonly function: string;
  readonly argument: Expression;
}

export interface WindowNode extends NodeBase {
  readonly type: 'window';
  /** Rows are windowed by the distance of this value; `undefined` counts rows. */
  readonly range: Expression | undefined;
  readonly preceding: Expression;
  readonly following: Expression;
  readonly aggregates: readonly PlanAggregate[];
}

export interface ModifyNode extends NodeBase {
  readonly type: 'modify';
  readonly operation: 'insert' | 'update' | 'replace' | 'remove';
  readonly collection: CollectionInfo;
  /** Key or document with a key; of update, replace and remove. */
  readonly key: Expression | undefined;
  readonly document: Expression | undefined;
  readonly options: ModifyOptions;
  readonly old: string;
  readonly new: string;
  /** Which of the two later nodes use. */
  readonly oldUsed: boolean;
  readonly newUsed: boolean;
}

export interface ModifyOptions {
  readonly ignoreErrors: boolean;
  readonly keepNull: boolean;
  readonly mergeObjects: boolean;
  readonly ignoreRevs: boolean;
  readonly overwriteMode: 'ignore' | 'replace' | 'update' | 'conflict';
  readonly versionAttribute: string | undefined;
}

export interface UpsertNode extends NodeBase {
  readonly type: 'upsert';
  readonly collection: CollectionInfo;
  /** Returns the documents the UPSERT is about; the first one counts. */
  readonly search: Pipeline;
  readonly insert: Expression;
  readonly modify: Expression;
  readonly modifyKind: 'update' | 'replace';
  readonly options: ModifyOptions;
  readonly old: string;
  readonly new: string;
}

export interface ReturnNode extends NodeBase {
  readonly type: 'return';
  readonly value: Expression;
  readonly distinct: boolean;
}

/** Everything the binder found out about a query. */
export interface Plan {
  readonly root: Pipeline;
  readonly modifies: boolean;
  /** Bind parameters read at run time: variables `@name`. */
  readonly parameters: readonly string[];
  readonly reads: readonly CollectionInfo[];
  readonly writes: readonly CollectionInfo[];
  readonly warnings: readonly PlanWarning[];
}
export interface PlanWarning {
  readonly code: string;
  readonly message: string;
}

export type { Span, ValueObject };
