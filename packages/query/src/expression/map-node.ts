import type { Expression, Property, Quantifier } from '@themisdb/aql';

type Change = (node: Expression) => Expression;

/** The node with `change` applied to its direct operands; clauses of subqueries are left alone. */
export function mapOperands(node: Expression, change: Change): Expression {
  const maybe = <T extends Expression | undefined>(operand: T): Expression | T =>
    operand === undefined ? operand : change(operand);
  switch (node.type) {
    case 'Array':
      return { ...node, elements: node.elements.map(change) };
    case 'Object':
      return {
        ...node,
        properties: node.properties.map((property) => mapProperty(property, change)),
      };
    case 'Member':
    case 'BoundMember':
      return { ...node, object: change(node.object) };
    case 'Index':
      return { ...node, object: change(node.object), index: change(node.index) };
    case 'Expansion':
      return {
        ...node,
        source: change(node.source),
        filter: maybe(node.filter),
        limit: node.limit && {
          ...node.limit,
          offset: maybe(node.limit.offset),
          count: change(node.limit.count),
        },
        projection: maybe(node.projection),
        body: change(node.body),
      };
    case 'ArrayTest':
      return {
        ...node,
        source: change(node.source),
        quantifier: node.quantifier && mapQuantifier(node.quantifier, change),
        filter: maybe(node.filter),
      };
    case 'Unary':
      return { ...node, operand: change(node.operand) };
    case 'Binary':
      return { ...node, left: change(node.left), right: change(node.right) };
    case 'ArrayComparison':
      return {
        ...node,
        quantifier: mapQuantifier(node.quantifier, change),
        left: change(node.left),
        right: change(node.right),
      };
    case 'Ternary':
      return {
        ...node,
        condition: change(node.condition),
        then: maybe(node.then),
        otherwise: change(node.otherwise),
      };
    case 'Range':
      return { ...node, from: change(node.from), to: change(node.to) };
    case 'FunctionCall':
      return { ...node, arguments: node.arguments.map(change) };
    case 'Satisfies':
      return { ...node, source: change(node.source), condition: change(node.condition) };
    default:
      return node;
  }
}

/** A range as count stays one: its bounds are the operands. */
function mapQuantifier(node: Quantifier, change: Change): Quantifier {
  const { count } = node;
  if (count === undefined) return node;
  return { ...node, count: count.type === 'Range' ? mapOperands(count, change) : change(count) };
}

function mapProperty(property: Property, change: Change): Property {
  if (property.type === 'NamedProperty') {
    return { ...property, value: change(property.value), shorthand: false };
  }
  if (property.type === 'BoundProperty') return { ...property, value: change(property.value) };
  return { ...property, key: change(property.key), value: change(property.value) };
}
