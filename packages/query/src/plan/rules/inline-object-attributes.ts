import type { Expression, ObjectLiteral } from '@themisdb/aql';
import { mapOperands } from '../../expression/map-node.ts';
import type { Pipeline } from '../node.ts';
import { mapPipeline } from '../rewrite.ts';
import type { Rule } from '../rule.ts';
import { variablesOf, variablesOfPipeline } from '../variables.ts';
import { isPlain } from './inline-lets.ts';

/**
 * `x.name`, where `x` is an object put together by a LET, is written out as the attribute's own
 * expression: conditions on what a subquery returned then reach the collection it came from.
 */
export const inlineObjectAttributes: Rule = {
  name: 'inline-object-attributes',
  apply(pipeline) {
    let rest: Pipeline = pipeline;
    let changed = false;
    for (let i = 0; i < rest.length; i++) {
      const node = rest[i]!;
      if (node.type !== 'let' || node.value.type !== 'Object') continue;
      const attributes = attributesOf(node.value);
      const following = rest.slice(i + 1);
      if (attributes === undefined || !variablesOfPipeline(following).has(node.variable)) continue;
      let replaced = false;
      const after = mapPipeline(following, (expression) => {
        const written = writeOut(expression, node.variable, attributes);
        replaced ||= written !== expression;
        return written;
      });
      if (!replaced) continue;
      rest = [...rest.slice(0, i + 1), ...after];
      changed = true;
    }
    return changed ? rest : pipeline;
  },
};

type Attributes = ReadonlyMap<string, Expression>;

/** Of attributes named twice the last one counts. */
function attributesOf({ properties }: ObjectLiteral): Attributes | undefined {
  const out = new Map<string, Expression>();
  for (const property of properties) {
    if (property.type !== 'NamedProperty') return undefined;
    out.set(property.name, property.value);
  }
  return out;
}

function writeOut(expression: Expression, variable: string, attributes: Attributes): Expression {
  if (!variablesOf(expression).has(variable)) return expression;
  let replaced = false;
  const change = (part: Expression): Expression => {
    const isAccess = part.type === 'Member' && part.object.type === 'Reference';
    if (!isAccess || (part.object as { name: string }).name !== variable) {
      return mapOperands(part, change);
    }
    const value = attributes.get(part.name);
    if (value !== undefined && !isPlain(value)) return part;
    replaced = true;
    return value ?? { type: 'Null', span: part.span };
  };
  const out = change(expression);
  return replaced ? out : expression;
}
