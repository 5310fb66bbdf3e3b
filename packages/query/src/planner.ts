import { equalValues, typeRank, type Value } from '@themisdb/base';
import { parse, type Query } from '@themisdb/aql';
import type { Catalog, Store } from '@themisdb/storage';
import { lowerPlan, type Program } from './exec/lower.ts';
import { engineValue } from './params.ts';
import { bindQuery, type BoundQuery } from './plan/bind.ts';
import { checkCopies } from './plan/copies.ts';
import { withFullCount } from './plan/full-count.ts';
import type { Plan } from './plan/node.ts';
import { optimise } from './plan/optimise.ts';
import type { Statistics } from './plan/rule.ts';
import type { QueryLimits, QueryRequest } from './query-engine.ts';

/** A query ready to run with the parameters given. */
export interface Prepared {
  readonly ast: Query;
  readonly plan: Plan;
  readonly applied: readonly string[];
  readonly program: Program;
  readonly params: Readonly<Record<string, Value>>;
  readonly cached: boolean;
}

type Params = Readonly<Record<string, Value>>;

/** A plan and all that must be as it was for the plan to be right again. */
interface CachedPlan {
  readonly ast: Query;
  readonly plan: Plan;
  readonly applied: readonly string[];
  readonly program: Program;
  readonly catalogVersion: number;
  /** Parameters whose value went into the plan. */
  readonly structural: ReadonlyMap<string, Value>;
  /** Ranks of type of the others: index choices may depend on them. */
  readonly types: ReadonlyMap<string, number>;
  /** Sizes of collections the choice was made for. */
  readonly counts: readonly {
    readonly collection: Plan['reads'][number];
    readonly count: number;
  }[];
}

/** From text to programs, keeping those of queries that come again. */
export class Planner {
  readonly statistics: Statistics;
  readonly #store: Store;
  readonly #limits: QueryLimits;
  /** By text and options, oldest use first. */
  readonly #cache = new Map<string, CachedPlan[]>();

  constructor(store: Store, limits: QueryLimits) {
    this.#store = store;
    this.#limits = limits;
    this.statistics = store;
  }

  prepare(request: QueryRequest): Prepared {
    const params = engineParams(request.params);
    const catalog = request.transaction?.catalog ?? this.#store.catalog();
    const key = cacheKey(request);
    const variants = this.#cache.get(key);
    const hit = variants?.find((entry) => this.#fits(entry, catalog, params));
    if (hit !== undefined) {
      this.#touch(key, variants!);
      return { ...hit, params, cached: true };
    }
    const ast =
      variants?.[0]?.ast ?? parse(request.text, { textLengthMax: this.#limits.textLengthMax });
    const made = this.#plan(ast, catalog, request, params);
    this.#remember(key, made);
    return { ...made, params, cached: false };
  }

  #plan(ast: Query, catalog: Catalog, request: QueryRequest, params: Params): CachedPlan {
    const { text, namespace, options } = request;
    checkCopies(ast, text);
    const bound = bindQuery(ast, { text, namespace, catalog, params });
    const start = options?.fullCount === true ? withFullCount(bound.plan) : bound.plan;
    const { plan, applied } = optimise(start, options?.optimizer?.rules ?? [], {
      id: () => bound.context.id(),
      param: (name) => params[name],
      indexesReadable: indexesReadable(request),
      statistics: this.statistics,
      repeats: 1,
      warn: (code, message) => bound.context.warn(code, message),
    });
    const program = lowerPlan(plan, catalog);
    const counts = plan.reads.map((collection) => ({
      collection,
      count: this.statistics.approximateCount(collection),
    }));
    return {
      ast,
      plan,
      applied,
      program,
      catalogVersion: catalog.version,
      counts,
      ...keyOf(bound, params),
    };
  }

  #fits(entry: CachedPlan, catalog: Catalog, params: Params): boolean {
    if (entry.catalogVersion !== catalog.version) return false;
    const names = Object.keys(params);
    if (names.length !== new Set([...entry.types.keys(), ...entry.structural.keys()]).size) {
      return false;
    }
    for (const [name, rank] of entry.types) {
      const value = params[name];
      if (value === undefined || typeRank(value) !== rank) return false;
    }
    for (const [name, value] of entry.structural) {
      const given = params[name];
      if (given === undefined || !sameValue(given, value)) return false;
    }
    return entry.counts.every(({ collection, count }) =>
      isSimilar(this.statistics.approximateCount(collection), count),
    );
  }

  #remember(key: string, entry: CachedPlan): void {
    if (this.#limits.cachedPlansMax <= 0) return;
    const others = (this.#cache.get(key) ?? []).filter(
      (other) => other.catalogVersion === entry.catalogVersion,
    );
    this.#touch(key, [entry, ...others].slice(0, variantsMax));
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= this.#limits.cachedPlansMax) break;
      this.#cache.delete(oldest);
    }
  }

  #touch(key: string, variants: CachedPlan[]): void {
    this.#cache.delete(key);
    this.#cache.set(key, variants);
  }
}

/** Plans kept of one text, for different parameters. */
const variantsMax = 4;

function cacheKey(request: QueryRequest): string {
  const { text, namespace, options } = request;
  const flags = `${options?.fullCount === true}/${indexesReadable(request)}`;
  return `${namespace}\u0000${flags}\u0000${options?.optimizer?.rules?.join() ?? ''}\u0000${text}`;
}

/** A moment in the past has no index entries. */
function indexesReadable({ options, transaction }: QueryRequest): boolean {
  return options?.asOf === undefined && transaction?.indexesReadable !== false;
}

function keyOf(bound: BoundQuery, params: Params): Pick<CachedPlan, 'structural' | 'types'> {
  const { structuralParams, runtimeParams } = bound.context;
  return {
    structural: new Map([...structuralParams].map((name) => [name, params[name]!])),
    types: new Map([...runtimeParams].map((name) => [name, typeRank(params[name]!)])),
  };
}

/** Equal and of the same form: `{a: null}` and `{}` are equal but make different documents. */
function sameValue(a: Value, b: Value): boolean {
  if (typeof a !== 'object' || a === null) return a === b;
  return equalValues(a, b) && JSON.stringify(a) === JSON.stringify(b);
}

/** Whether a plan chosen for `before` rows is still a good one. */
function isSimilar(now: number, before: number): boolean {
  return now <= before * 4 + 100 && before <= now * 4 + 100;
}

const noParams: Params = {};

function engineParams(params: QueryRequest['params']): Params {
  if (params === undefined) return noParams;
  return engineValue(params) as Params;
}
