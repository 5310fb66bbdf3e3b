import { makeObject } from '@themisdb/base';
import type { ArrayLiteral, ObjectLiteral, Property } from '@themisdb/aql';
import { bindMissing } from './access.ts';
import { constantCode, foldedCode, type Code, type Compiler } from './code.ts';
import { toText } from './convert.ts';
import { themisError } from '@themisdb/protocol';

export function compileArray(node: ArrayLiteral, compiler: Compiler): Code {
  const elements = node.elements.map((element) => compiler.compile(element));
  const runs = elements.map((element) => element.run);
  return foldedCode(elements, (row, context) => runs.map((run) => run(row, context)));
}

/** Of attributes named twice the last one counts. */
export function compileObject(node: ObjectLiteral, compiler: Compiler): Code {
  const keys = node.properties.map((property) => keyOf(property, compiler));
  const values = node.properties.map((property) => compiler.compile(property.value));
  const runs = values.map((value) => value.run);
  if (keys.every((key) => typeof key.constant === 'string')) {
    const names = keys.map((key) => key.constant as string);
    return foldedCode(values, (row, context) => {
      const out = makeObject();
      for (let i = 0; i < names.length; i++) out[names[i]!] = runs[i]!(row, context);
      return out;
    });
  }
  return foldedCode([...keys, ...values], (row, context) => {
    const out = makeObject();
    for (let i = 0; i < runs.length; i++) {
      const name = toText(keys[i]!.run(row, context));
      out[name] = runs[i]!(row, context);
    }
    return out;
  });
}

function keyOf(property: Property, compiler: Compiler): Code {
  switch (property.type) {
    case 'NamedProperty':
      return constantCode(property.name);
    case 'BoundProperty': {
      const value = compiler.scope.bind(property.key.name);
      if (value === undefined) throw bindMissing(property.key.name);
      if (typeof value === 'string') return constantCode(value);
      throw themisError('AQL_BIND_TYPE', {
        message: `Bind parameter @${property.key.name} names an attribute: it must be a string.`,
        details: { parameter: property.key.name, span: property.key.span },
      });
    }
    case 'ComputedProperty': {
      const key = compiler.compile(property.key);
      return foldedCode([key], (row, context) => toText(key.run(row, context)));
    }
  }
}
