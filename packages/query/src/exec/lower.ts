import type { Expression } from '@themisdb/aql';
import { assert } from '@themisdb/base';
import type { Catalog } from '@themisdb/storage';
import { compileCode } from '../expression/index.ts';
import { truthy } from '../expression/convert.ts';
import type { Evaluate } from '../expression/contract.ts';
import { growsWithValues, mustAggregate } from './aggregate-code.ts';
import type { CollectNode, Pipeline, Plan, PlanNode, ReturnNode } from '../plan/node.ts';
import type { Chain } from './chain.ts';
import {
  makeCountCollect,
  makeHashCollect,
  makeSortedCollect,
  type CollectParts,
} from './collect.ts';
import { makeCount } from './count.ts';
import { makeEnumerate, makeRangeEnumerate } from './enumerate.ts';
import { makeFilter, type Test } from './filter.ts';
import { Layout } from './layout.ts';
import { makeLet } from './let.ts';
import { makeLimit } from './limit.ts';
import { makeLookup } from './lookup.ts';
import { lowerScan, recordOf, type LoweringTools } from './lower-scan.ts';
import { makeMaterialise } from './materialise.ts';
import { makeModify } from './modify.ts';
import type { Operator } from './operator.ts';
import { makeDistinct } from './return.ts';
import { makeSort, makeTopSort } from './sort.ts';
import { makeSubquery } from './subquery.ts';
import { makeUpsert } from './upsert.ts';
import { makeWindow } from './window.ts';

/** A plan ready to run, any number of times, also at once. */
export interface Program {
  readonly chain: Chain;
  readonly layout: Layout;
  /** Registers of the bind parameters read at run time. */
  readonly parameters: readonly { readonly name: string; readonly register: number }[];
}

/**
 * Turns a plan into operators: registers for variables, closures for expressions. Errors are those of
 * the expression compiler, with the `span` in their details.
 */
export function lowerPlan(plan: Plan, catalog: Catalog): Program {
  const lowering = new Lowering(catalog);
  const parameters = plan.parameters.map((name) => ({
    name,
    register: lowering.layout.declare(`@${name}`),
  }));
  const chain = lowering.chain(plan.root);
  return { chain, layout: lowering.layout, parameters };
}

class Lowering implements LoweringTools {
  readonly layout: Layout = new Layout();
  readonly catalog: Catalog;

  constructor(catalog: Catalog) {
    this.catalog = catalog;
  }

  chain(pipeline: Pipeline): Chain {
    const operators: Operator[] = [];
    let result: number | undefined;
    for (const node of pipeline) {
      if (node.type === 'return') {
        const lowered = this.#lowerReturn(node);
        ({ result } = lowered);
        if (lowered.operator !== undefined) operators.push(lowered.operator);
      } else operators.push(this.#lower(node));
    }
    return { operators, result };
  }

  compile(expression: Expression): Evaluate {
    return compileCode(expression, this.layout).run;
  }

  maybe(expression: Expression | undefined): Evaluate | undefined {
    return expression && this.compile(expression);
  }

  test(conditions: readonly Expression[]): Test | undefined {
    const tests = conditions.map((condition) => this.#testOf(condition));
    const [first, second] = tests;
    if (first === undefined || second === undefined) return first;
    if (tests.length === 2) return (row, context) => first(row, context) && second(row, context);
    return (row, context) => tests.every((test) => test(row, context));
  }

  #testOf(condition: Expression): Test {
    const value = this.compile(condition);
    return (row, context) => truthy(value(row, context));
  }

  #lowerReturn(node: ReturnNode): { operator: Operator | undefined; result: number } {
    // A variable is returned from where it is.
    if (!node.distinct && node.value.type === 'Reference') {
      const register = this.layout.register(node.value.name);
      if (register !== undefined) return { operator: undefined, result: register };
    }
    const value = this.compile(node.value);
    const result = this.layout.allocate();
    const make = node.distinct ? makeDistinct : makeLet;
    return { operator: make(node.id, result, value), result };
  }

  #lower(node: Exclude<PlanNode, ReturnNode>): Operator {
    const { layout } = this;
    switch (node.type) {
      case 'scan':
        return lowerScan(node, this);
      case 'enumerate': {
        const { list } = node;
        if (list.type === 'Range') {
          const from = this.compile(list.from);
          const to = this.compile(list.to);
          return makeRangeEnumerate(node.id, layout.declare(node.variable), from, to);
        }
        const value = this.compile(list);
        return makeEnumerate(node.id, layout.declare(node.variable), value);
      }
      case 'filter':
        return makeFilter(node.id, this.#testOf(node.condition));
      case 'let': {
        const value = this.compile(node.value);
        return makeLet(node.id, layout.declare(node.variable), value);
      }
      case 'subquery': {
        const chain = this.chain(node.body);
        const register = layout.declare(node.variable);
        const { id: nodeId, once, modifies } = node;
        return makeSubquery({ nodeId, register, chain, once, modifies });
      }
      case 'lookup':
        return makeLookup({
          nodeId: node.id,
          collection: this.maybe(node.collection),
          ids: this.compile(node.ids),
          register: layout.declare(node.variable),
          catalog: this.catalog,
        });
      case 'materialise': {
        const record = layout.declare(recordOf(node.variable));
        return makeMaterialise(node.id, record, layout.declare(node.variable));
      }
      case 'count':
        return makeCount(node.id, layout.declare(node.variable), node.collection);
      case 'sort': {
        const keys = node.keys.map(({ expression, descending }) => ({
          value: this.compile(expression),
          descending,
        }));
        return node.top === undefined
          ? makeSort(node.id, keys)
          : makeTopSort(node.id, keys, this.compile(node.top));
      }
      case 'limit': {
        const { fullCount } = node;
        const count = this.compile(node.count);
        return makeLimit(node.id, { offset: this.maybe(node.offset), count, fullCount });
      }
      case 'collect':
        return this.#lowerCollect(node);
      case 'window': {
        const range = this.maybe(node.range);
        const preceding = this.compile(node.preceding);
        const following = this.compile(node.following);
        return makeWindow(node.id, {
          range,
          preceding,
          following,
          aggregates: this.#aggregates(node),
        });
      }
      case 'modify':
        return makeModify({
          nodeId: node.id,
          operation: node.operation,
          collection: node.collection,
          key: this.maybe(node.key),
          document: this.maybe(node.document),
          options: node.options,
          old: node.oldUsed ? layout.declare(node.old) : undefined,
          new: node.newUsed ? layout.declare(node.new) : undefined,
        });
      case 'upsert': {
        const search = this.chain(node.search);
        const insert = this.compile(node.insert);
        const old = layout.declare(node.old);
        return makeUpsert({
          nodeId: node.id,
          collection: node.collection,
          search,
          insert,
          old,
          modify: this.compile(node.modify),
          modifyKind: node.modifyKind,
          options: node.options,
          new: layout.declare(node.new),
        });
      }
    }
  }

  #lowerCollect(node: CollectNode): Operator {
    const { layout } = this;
    // All expressions see the rows before the COLLECT.
    const values = node.groups.map((group) => this.compile(group.value));
    const intoValue = this.maybe(node.into?.value);
    const aggregates = this.#aggregates(node);
    const count = node.count === undefined ? undefined : layout.declare(node.count);
    if (node.method === 'count') {
      assert(count !== undefined, 'counting has a variable to put the count into');
      return makeCountCollect(node.id, count);
    }
    const parts: CollectParts = {
      groups: node.groups.map((group, i) => ({
        register: layout.declare(group.variable),
        value: values[i]!,
      })),
      aggregates,
      into: node.into && { register: layout.declare(node.into.variable), value: intoValue! },
      count,
      ordered: node.ordered,
    };
    return node.method === 'sorted'
      ? makeSortedCollect(node.id, parts)
      : makeHashCollect(node.id, parts);
  }

  #aggregates(node: Pick<CollectNode, 'aggregates'>): CollectParts['aggregates'] {
    const values = node.aggregates.map((entry) => this.compile(entry.argument));
    return node.aggregates.map((entry, i) => ({
      register: this.layout.declare(entry.variable),
      value: values[i]!,
      aggregate: mustAggregate(entry.function),
      grows: growsWithValues(entry.function),
    }));
  }
}
