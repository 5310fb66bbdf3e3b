import type { Prng } from '@themisdb/base';
import type {
  Aggregate,
  ArrayTest,
  BindParameter,
  Clause,
  CollectionRef,
  Expansion,
  Expression,
  GraphSource,
  ObjectLiteral,
  PathKind,
  Property,
  Quantifier,
  Query,
  Variable,
} from './ast.ts';

/** Random trees that the grammar can produce, for tests. Spans are empty. */
const span = Object.freeze({ start: 0, end: 0 });

const plainNames = ['a', 'doc', 'u1', '_x', '$y', 'CURRENT', 'NEW', 'OLD', 'users'];
const trickyNames = ['limit', 'For', 'two words', 'tick`back\\slash', 'ä', 'line\nbreak', '0', '´'];
const wordNames = [
  'options',
  'search',
  'prune',
  'keep',
  'to',
  'type',
  'at',
  'least',
  'live',
  'count',
];
const functionNames = ['LENGTH', 'A::B', 'LIKE', 'X::Y::Z', 'LIMIT', 'ODD NAME', 'MAX'];
const texts = ['', 'x', "it's", 'say "hi"', 'back\\slash', 'tab\t\n', '😀', '\u0000', 'attr', '9a'];
const numbers = [0, 1, 42, 0.5, 1e-7, 1.5e300, 2 ** 53, 2 ** 53 + 2, 1.2345678901234567e20, 5e-324];

type BinaryNode = Extract<Expression, { type: 'Binary' }>;
const operators: readonly BinaryNode['operator'][] = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '&&',
  '||',
  'IN',
  'NOT IN',
  'LIKE',
  'NOT LIKE',
  '=~',
  '!~',
];
const comparisons = ['==', '!=', '<', '<=', '>', '>=', 'IN', 'NOT IN'] as const;
const directions = ['OUTBOUND', 'INBOUND', 'ANY'] as const;

export class RandomQuery {
  readonly #random: Prng;
  /** How many more levels the tree may grow. */
  #budget: number;

  constructor(random: Prng, budget = 6) {
    this.#random = random;
    this.#budget = budget;
  }

  query(): Query {
    const random = this.#random;
    const clauses = this.#clauses();
    return {
      type: 'Query',
      span,
      mode: random.pick(['run', 'run', 'explain', 'profile']),
      live: clauses[0]!.type === 'For' && random.chance(0.2),
      withCollections: random.chance(0.2) ? this.#some(1, 3, () => this.#collection()) : [],
      clauses,
    };
  }

  // Parts

  #name(): string {
    const random = this.#random;
    if (random.chance(0.7)) return random.pick(plainNames);
    return random.pick(random.chance(0.5) ? trickyNames : wordNames);
  }

  #variable(): Variable {
    return { type: 'Variable', span, name: this.#name() };
  }

  #some<N>(min: number, max: number, make: () => N): N[] {
    return Array.from({ length: this.#random.between(min, max) }, make);
  }

  #maybe<N>(chance: number, make: () => N): N | undefined {
    return this.#random.chance(chance) ? make() : undefined;
  }

  #collection(): CollectionRef {
    if (this.#random.chance(0.6)) return { type: 'CollectionName', span, name: this.#name() };
    const key = this.#random.pick(['@coll', 'coll', '@_c1']);
    return { type: 'CollectionParameter', span, key };
  }

  #target(): CollectionRef {
    const collection = this.#collection();
    return collection.type === 'CollectionName' || collection.key.startsWith('@')
      ? collection
      : { ...collection, key: '@target' };
  }

  #bind(): BindParameter {
    return { type: 'BindParameter', span, name: this.#random.pick(['p', '0', '_min', 'value']) };
  }

  #text(): Expression {
    return { type: 'String', span, value: this.#random.pick(texts) };
  }

  #options(): ObjectLiteral | undefined {
    return this.#maybe(0.2, () => this.#object());
  }

  // Clauses

  #clauses(): Clause[] {
    const before = this.#some(0, 3, () => this.#clause());
    const last = this.#random.chance(0.75) ? this.#return() : this.#modification();
    return [...before, last];
  }

  #clause(): Clause {
    switch (this.#random.below(10)) {
      case 0:
      case 1:
        return this.#for();
      case 2:
        return this.#traversal();
      case 3:
        return { type: 'Filter', span, condition: this.expression() };
      case 4:
        return { type: 'Let', span, variable: this.#variable(), value: this.expression() };
      case 5:
        return this.#sort();
      case 6:
        return this.#collect();
      case 7:
        return this.#window();
      case 8:
        return this.#limit();
      default:
        return this.#modification();
    }
  }

  #for(): Clause {
    return {
      type: 'For',
      span,
      variable: this.#variable(),
      source: this.expression(),
      search: this.#maybe(0.15, () => this.expression()),
      options: this.#options(),
    };
  }

  #limit(): Clause {
    const offset = this.#maybe(0.5, () => this.expression());
    return { type: 'Limit', span, offset, count: this.expression() };
  }

  #return(): Clause {
    return { type: 'Return', span, distinct: this.#random.chance(0.2), value: this.expression() };
  }

  #sort(): Clause {
    const keys = this.#some(1, 3, () => ({
      type: 'SortKey' as const,
      span,
      expression: this.expression(),
      direction: this.#random.chance(0.2)
        ? this.#bind()
        : this.#random.pick(['ASC', 'DESC'] as const),
    }));
    return { type: 'Sort', span, keys };
  }

  #graph(): GraphSource {
    if (this.#random.chance(0.4)) {
      const name = this.#random.chance(0.5)
        ? this.#bind()
        : ({ type: 'String', span, value: this.#random.pick(texts) } as const);
      return { type: 'NamedGraph', span, name };
    }
    const collections = this.#some(1, 3, () => ({
      type: 'EdgeCollection' as const,
      span,
      direction: this.#maybe(0.3, () => this.#random.pick(directions)),
      collection: this.#collection(),
    }));
    return { type: 'EdgeCollections', span, collections };
  }

  #traversal(): Clause {
    const random = this.#random;
    const shared = {
      span,
      vertex: this.#variable(),
      edge: this.#maybe(0.5, () => this.#variable()),
      depth: this.#maybe(0.6, () => this.expression()),
      direction: random.pick(directions),
      start: this.expression(),
      graph: this.#graph(),
      edgeTypes: random.chance(0.3)
        ? this.#some(1, 2, () => (random.chance(0.5) ? this.#text() : this.#bind()))
        : [],
      options: this.#options(),
    };
    if (random.chance(0.4)) {
      const kind = random.pick<PathKind>([
        'SHORTEST_PATH',
        'ALL_SHORTEST_PATHS',
        'K_SHORTEST_PATHS',
        'K_PATHS',
      ]);
      const edge = kind === 'SHORTEST_PATH' ? shared.edge : undefined;
      return { type: 'PathSearch', ...shared, kind, edge, target: this.expression() };
    }
    const path = shared.edge && this.#maybe(0.5, () => this.#variable());
    return { type: 'Traversal', ...shared, path, prune: this.#maybe(0.3, () => this.#prune()) };
  }

  #prune(): Extract<Clause, { type: 'Traversal' }>['prune'] {
    const variable = this.#maybe(0.5, () => this.#variable());
    return { type: 'Prune', span, variable, condition: this.expression() };
  }

  #aggregates(min: number): Aggregate[] {
    return this.#some(min, 2, () => ({
      type: 'Aggregate' as const,
      span,
      variable: this.#variable(),
      call: this.#call(),
    }));
  }

  #collect(): Clause {
    const groups = this.#some(0, 2, () => ({
      type: 'Assignment' as const,
      span,
      variable: this.#variable(),
      value: this.expression(),
    }));
    const counted = this.#random.chance(0.3);
    const aggregates = counted ? [] : this.#aggregates(groups.length === 0 ? 1 : 0);
    const into = counted ? undefined : this.#maybe(0.4, () => this.#into());
    return {
      type: 'Collect',
      span,
      groups,
      aggregates,
      countInto: counted ? this.#variable() : undefined,
      into,
      keep:
        into &&
        this.#maybe(0.4, () =>
          this.#some(1, 2, () => ({ type: 'Reference' as const, span, name: this.#name() })),
        ),
      options: this.#options(),
    };
  }

  #into(): NonNullable<Extract<Clause, { type: 'Collect' }>['into']> {
    const projection = this.#maybe(0.5, () => this.expression());
    return { type: 'CollectInto', span, variable: this.#variable(), projection };
  }

  #window(): Clause {
    const preceding = this.#maybe(0.7, () => this.expression());
    return {
      type: 'Window',
      span,
      range: this.#maybe(0.4, () => this.expression()),
      preceding,
      following:
        preceding === undefined ? this.expression() : this.#maybe(0.5, () => this.expression()),
      aggregates: this.#aggregates(1),
    };
  }

  #modification(): Clause {
    const target = { span, collection: this.#target(), options: this.#options() };
    const key = this.#maybe(0.5, () => this.expression());
    switch (this.#random.below(5)) {
      case 0:
        return { type: 'Insert', ...target, document: this.expression() };
      case 1:
        return { type: 'Remove', ...target, key: this.expression() };
      case 2:
        return { type: 'Update', ...target, key, document: this.expression() };
      case 3:
        return { type: 'Replace', ...target, key, document: this.expression() };
      default:
        return this.#upsert(target);
    }
  }

  #upsert(
    target: Pick<Extract<Clause, { type: 'Insert' }>, 'span' | 'collection' | 'options'>,
  ): Clause {
    const filtered = this.#random.chance(0.4);
    const example = this.#random.chance(0.8) ? this.#object() : this.#bind();
    return {
      type: 'Upsert',
      ...target,
      searchKind: filtered ? 'filter' : 'example',
      search: filtered ? this.expression() : example,
      insert: this.expression(),
      modifyKind: this.#random.pick(['UPDATE', 'REPLACE']),
      modify: this.expression(),
    };
  }

  // Expressions

  expression(): Expression {
    if (this.#budget <= 0 || this.#random.chance(0.25)) return this.#leaf();
    this.#budget--;
    const node = this.#composite();
    this.#budget++;
    return node;
  }

  #leaf(): Expression {
    const random = this.#random;
    switch (random.below(8)) {
      case 0:
        return { type: 'Null', span };
      case 1:
        return { type: 'Boolean', span, value: random.chance(0.5) };
      case 2:
        return { type: 'Number', span, value: random.pick(numbers) };
      case 3:
        return this.#text();
      case 4:
        return this.#bind();
      case 5:
        return { type: 'CollectionParameter', span, key: '@coll' };
      default:
        return { type: 'Reference', span, name: this.#name() };
    }
  }

  #composite(): Expression {
    switch (this.#random.below(16)) {
      case 0:
        return { type: 'Array', span, elements: this.#some(0, 3, () => this.expression()) };
      case 1:
        return this.#object();
      case 2:
      case 3:
        return this.#access(this.expression());
      case 4:
        return this.#expansion(this.expression(), this.#random.between(1, 3));
      case 5:
        return this.#test(this.expression(), this.#random.between(1, 2));
      case 6:
        return this.#unary();
      case 7:
        return this.#arrayComparison();
      case 8:
        return this.#ternary();
      case 9:
        return { type: 'Range', span, from: this.expression(), to: this.expression() };
      case 10:
        return this.#call();
      case 11:
        return { type: 'Subquery', span, clauses: this.#clauses() };
      case 12:
        return this.#satisfies();
      default:
        return this.#binary();
    }
  }

  #binary(): Expression {
    const operator = this.#random.pick(operators);
    return { type: 'Binary', span, operator, left: this.expression(), right: this.expression() };
  }

  #unary(): Expression {
    const operator = this.#random.pick(['!', '-', '+'] as const);
    return { type: 'Unary', span, operator, operand: this.expression() };
  }

  #ternary(): Expression {
    const then = this.#maybe(0.7, () => this.expression());
    const condition = this.expression();
    return { type: 'Ternary', span, condition, then, otherwise: this.expression() };
  }

  #arrayComparison(): Expression {
    return {
      type: 'ArrayComparison',
      span,
      quantifier: this.#quantifier(false),
      operator: this.#random.pick(comparisons),
      left: this.expression(),
      right: this.expression(),
    };
  }

  #satisfies(): Expression {
    return {
      type: 'Satisfies',
      span,
      quantifier: this.#random.pick(['ANY', 'ALL', 'NONE']),
      variable: this.#variable(),
      source: this.expression(),
      condition: this.expression(),
    };
  }

  #quantifier(withCount: boolean): Quantifier {
    const kind = this.#random.pick(['ANY', 'ALL', 'NONE', 'AT LEAST', 'COUNT'] as const);
    if (kind === 'COUNT' && !withCount) return this.#quantifier(false);
    const counts = kind === 'COUNT' || kind === 'AT LEAST';
    return { type: 'Quantifier', span, kind, count: counts ? this.expression() : undefined };
  }

  #call(): Extract<Expression, { type: 'FunctionCall' }> {
    return {
      type: 'FunctionCall',
      span,
      name: this.#random.pick(functionNames),
      arguments: this.#some(0, 3, () => this.expression()),
    };
  }

  #object(): ObjectLiteral {
    return { type: 'Object', span, properties: this.#some(0, 3, () => this.#property()) };
  }

  #property(): Property {
    switch (this.#random.below(5)) {
      case 0: {
        const name = this.#name();
        const value = { type: 'Reference', span, name } as const;
        return { type: 'NamedProperty', span, name, value, shorthand: true };
      }
      case 1:
        return { type: 'BoundProperty', span, key: this.#bind(), value: this.expression() };
      case 2:
        return {
          type: 'ComputedProperty',
          span,
          key: this.expression(),
          value: this.expression(),
        };
      default: {
        const name = this.#random.chance(0.5) ? this.#name() : this.#random.pick(texts);
        const value = this.expression();
        return { type: 'NamedProperty', span, name, value, shorthand: false };
      }
    }
  }

  #access(object: Expression): Expression {
    switch (this.#random.below(4)) {
      case 0:
        return { type: 'BoundMember', span, object, attribute: this.#bind() };
      case 1: {
        const index = this.expression();
        // The parser makes a member of `a["name"]`.
        const isMember = index.type === 'String' && !/^(?:\d|$)/.test(index.value);
        return isMember
          ? { type: 'Member', span, object, name: index.value }
          : { type: 'Index', span, object, index };
      }
      default:
        return { type: 'Member', span, object, name: this.#name() };
    }
  }

  #expansion(source: Expression, levels: number): Expansion {
    const count = this.#maybe(0.3, () => this.expression());
    return {
      type: 'Expansion',
      span,
      source,
      levels,
      filter: this.#maybe(0.4, () => this.expression()),
      limit: count && {
        type: 'InlineLimit',
        span,
        offset: this.#maybe(0.5, () => this.expression()),
        count,
      },
      projection: this.#maybe(0.4, () => this.expression()),
      body: this.#body(),
    };
  }

  /** A chain on `ExpansionItem`; only single stars and question marks stay inside a chain. */
  #body(): Expression {
    let body: Expression = { type: 'ExpansionItem', span };
    for (let i = this.#random.below(3); i > 0; i--) body = this.#access(body);
    if (this.#budget <= 0 || this.#random.chance(0.6)) return body;
    this.#budget--;
    const nested = this.#random.chance(0.5) ? this.#expansion(body, 1) : this.#test(body, 1);
    this.#budget++;
    return nested;
  }

  #test(source: Expression, levels: number): ArrayTest {
    const filter = this.#maybe(0.7, () => this.expression());
    const quantifier = filter && this.#maybe(0.7, () => this.#quantifier(true));
    return { type: 'ArrayTest', span, source, levels, quantifier, filter };
  }
}
