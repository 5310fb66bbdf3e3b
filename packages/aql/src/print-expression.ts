import { unreachable } from '@themisdb/base';
import type {
  ArrayTest,
  Clause,
  Expansion,
  Expression,
  InlineLimit,
  ObjectLiteral,
  Property,
  Quantifier,
  Ternary,
} from './ast.ts';
import { isReserved } from './keywords.ts';
import { binaryPower, power, type BindingPower } from './power.ts';

/**
 * What stands around an operand: operators binding no tighter than `floor` may not be open at its
 * left edge, and an operator of power `next` follows it (0: none), which its right edge must not take.
 */
interface Place {
  readonly floor: number;
  readonly next: number;
}

const alone: Place = { floor: power.none, next: power.none };

/** Prints expressions; subqueries through the function given, which knows the clauses. */
export class ExpressionPrinter {
  readonly #clauses: (clauses: readonly Clause[]) => string;

  constructor(clauses: (clauses: readonly Clause[]) => string) {
    this.#clauses = clauses;
  }

  print(node: Expression): string {
    return this.#at(node, alone);
  }

  list(nodes: readonly Expression[]): string {
    return nodes.map((node) => this.print(node)).join(', ');
  }

  object(node: ObjectLiteral): string {
    if (node.properties.length === 0) return '{}';
    return `{ ${node.properties.map((property) => this.#property(property)).join(', ')} }`;
  }

  #at(node: Expression, place: Place): string {
    const own = powerOf(node);
    if (own === undefined) return this.#tight(node);
    if (own.left <= place.floor || own.right < place.next) return `(${this.print(node)})`;
    return this.#infix(node, own, place);
  }

  /** A node with operands at its open edges, standing where it needs no parentheses. */
  #infix(node: Expression, own: BindingPower, place: Place): string {
    const left = (operand: Expression): string =>
      this.#at(operand, { floor: place.floor, next: own.left });
    const right = (operand: Expression): string =>
      this.#at(operand, { floor: own.right, next: place.next });
    switch (node.type) {
      case 'Binary':
        return `${left(node.left)} ${node.operator} ${right(node.right)}`;
      case 'ArrayComparison':
        return `${left(node.left)} ${this.#quantifier(node.quantifier)} ${node.operator} ${right(node.right)}`;
      case 'Range':
        return `${left(node.from)}..${right(node.to)}`;
      case 'Ternary':
        return `${left(node.condition)} ${this.#then(node)} ${right(node.otherwise)}`;
      case 'Unary':
        return node.operator + right(node.operand);
      case 'Satisfies': {
        const head = `${node.quantifier} ${printName(node.variable.name)} IN ${this.print(node.source)}`;
        return `${head} SATISFIES ${right(node.condition)}`;
      }
      default:
        return this.#tight(node);
    }
  }

  #then(node: Ternary): string {
    return node.then === undefined ? '?:' : `? ${this.print(node.then)} :`;
  }

  /** A node that nothing around it can tear apart. */
  #tight(node: Expression): string {
    switch (node.type) {
      case 'Null':
        return 'null';
      case 'Boolean':
        return String(node.value);
      case 'Number':
        return printNumber(node.value);
      case 'String':
        return JSON.stringify(node.value);
      case 'Array':
        return `[${this.list(node.elements)}]`;
      case 'Object':
        return this.object(node);
      case 'Reference':
        return printName(node.name);
      case 'BindParameter':
        return `@${node.name}`;
      case 'CollectionParameter':
        return `@${node.key}`;
      case 'FunctionCall':
        return `${printFunctionName(node.name)}(${this.list(node.arguments)})`;
      case 'Subquery':
        return `(${this.#clauses(node.clauses)})`;
      default:
        return this.#access(node);
    }
  }

  #access(node: Expression): string {
    switch (node.type) {
      case 'Member':
        return `${this.#object(node.object)}.${printName(node.name)}`;
      case 'BoundMember':
        return `${this.#object(node.object)}.@${node.attribute.name}`;
      case 'Index':
        return `${this.#object(node.object)}[${this.print(node.index)}]`;
      case 'Expansion':
        return this.#expansion(node);
      case 'ArrayTest':
        return this.#arrayTest(node);
      case 'ExpansionItem':
        // What the chain before gives: nothing is written for it.
        return '';
      case 'Null':
      case 'Boolean':
      case 'Number':
      case 'String':
      case 'Array':
      case 'Object':
      case 'Reference':
      case 'BindParameter':
      case 'CollectionParameter':
      case 'FunctionCall':
      case 'Subquery':
      case 'Binary':
      case 'ArrayComparison':
      case 'Range':
      case 'Ternary':
      case 'Unary':
      case 'Satisfies':
        return this.#at(node, alone);
      default:
        return unreachable(node, 'expression');
    }
  }

  /** The operand of an access. An expansion in parentheses is complete: accesses leave it alone. */
  #object(node: Expression): string {
    return accessible.has(node.type) ? this.#tight(node) : `(${this.print(node)})`;
  }

  #expansion(node: Expansion): string {
    const inner = [
      '*'.repeat(node.levels),
      ...this.#optional('FILTER', node.filter),
      ...(node.limit === undefined ? [] : [this.#limit(node.limit)]),
      ...this.#optional('RETURN', node.projection),
    ];
    return `${this.#object(node.source)}[${inner.join(' ')}]${this.#tight(node.body)}`;
  }

  #limit(limit: InlineLimit): string {
    const offset = limit.offset === undefined ? '' : `${this.print(limit.offset)}, `;
    return `LIMIT ${offset}${this.print(limit.count)}`;
  }

  #arrayTest(node: ArrayTest): string {
    const inner = [
      '?'.repeat(node.levels),
      ...(node.quantifier === undefined ? [] : [this.#quantifier(node.quantifier)]),
      ...this.#optional('FILTER', node.filter),
    ];
    return `${this.#object(node.source)}[${inner.join(' ')}]`;
  }

  #optional(word: string, node: Expression | undefined): string[] {
    return node === undefined ? [] : [`${word} ${this.print(node)}`];
  }

  #quantifier({ kind, count }: Quantifier): string {
    if (count === undefined) return kind;
    return kind === 'COUNT' ? this.print(count) : `${kind} (${this.print(count)})`;
  }

  #property(property: Property): string {
    switch (property.type) {
      case 'NamedProperty':
        if (property.shorthand) return printName(property.name);
        return `${printKey(property.name)}: ${this.print(property.value)}`;
      case 'BoundProperty':
        return `@${property.key.name}: ${this.print(property.value)}`;
      case 'ComputedProperty':
        return `[${this.print(property.key)}]: ${this.print(property.value)}`;
      default:
        return unreachable(property, 'property');
    }
  }
}

/** The nodes an access can follow without parentheses. */
const accessible: ReadonlySet<Expression['type']> = new Set<Expression['type']>([
  'Reference',
  'BindParameter',
  'CollectionParameter',
  'FunctionCall',
  'Subquery',
  'Array',
  'Object',
  'Member',
  'BoundMember',
  'Index',
  'ArrayTest',
  'ExpansionItem',
]);

/** Of the nodes with an operand at an edge; a prefix takes part on its right edge only. */
function powerOf(node: Expression): BindingPower | undefined {
  switch (node.type) {
    case 'Binary':
      return binaryPower[node.operator];
    case 'ArrayComparison':
      return { left: power.quantifier, right: binaryPower[node.operator].right };
    case 'Range':
      return { left: power.range, right: power.range };
    case 'Ternary':
      return { left: power.ternary, right: power.none };
    case 'Unary':
      return { left: Infinity, right: power.unary };
    case 'Satisfies':
      return { left: Infinity, right: power.none };
    default:
      return undefined;
  }
}

const plainName = /^(?:\$?[a-zA-Z][a-zA-Z0-9_]*|_+[a-zA-Z][a-zA-Z0-9_]*)$/;

/** A name, in backticks when it is reserved or has characters a bare name cannot have. */
export function printName(name: string): string {
  if (plainName.test(name) && !isReserved(name)) return name;
  return `\`${name.replaceAll(/[`\\]/g, '\\$&')}\``;
}

function printKey(name: string): string {
  return plainName.test(name) && !isReserved(name) ? name : JSON.stringify(name);
}

function printFunctionName(name: string): string {
  return name === 'LIKE' ? name : name.split('::').map(printName).join('::');
}

/** Large integers with an exponent: all their digits would claim more than a double holds. */
function printNumber(value: number): string {
  return value > Number.MAX_SAFE_INTEGER ? value.toExponential() : String(value);
}
