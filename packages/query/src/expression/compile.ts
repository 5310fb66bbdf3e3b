import { themisError } from '@themisdb/protocol';
import type { Binary, BindParameter, Expression, Range, Reference, Ternary } from '@themisdb/aql';
import { assert } from '@themisdb/base';
import { bindMissing, compileIndex, compileMember, readRegister } from './access.ts';
import { compileArithmetic, compileUnary } from './arithmetic.ts';
import { compileCall } from './call.ts';
import { constantCode, dynamicCode, foldedCode, type Code, type Compiler } from './code.ts';
import { compileComparison, compileMembership } from './compare.ts';
import type { CompileScope, Evaluate } from './contract.ts';
import { truthy } from './convert.ts';
import { toEngineValue } from './engine-value.ts';
import { compileArrayTest, compileExpansion } from './expansion.ts';
import { compileArray, compileObject } from './literal.ts';
import { compileArrayComparison, compileSatisfies } from './quantifier.ts';
import { evaluateRange } from './range.ts';
import { compileLikeOperator, compileRegexOperator } from './text-match.ts';

/**
 * Compiles an expression for repeated evaluation. Names are resolved, bind parameters read and
 * constant parts evaluated now; what the planner hoisted is read from its register.
 *
 * Errors: AQL_UNKNOWN_VARIABLE, AQL_BIND_MISSING, AQL_BIND_TYPE, AQL_UNKNOWN_FUNCTION,
 * AQL_FUNCTION_ARGUMENTS and NOT_IMPLEMENTED, each with the `span` in its details.
 */
export function compileExpression(node: Expression, scope: CompileScope): Evaluate {
  return compileCode(node, scope).run;
}

/** As compileExpression, and says whether the value is known already. */
export function compileCode(node: Expression, scope: CompileScope): Code {
  return new ExpressionCompiler(scope, undefined).compile(node);
}

class ExpressionCompiler implements Compiler {
  readonly scope: CompileScope;
  readonly itemRegister: number | undefined;

  constructor(scope: CompileScope, itemRegister: number | undefined) {
    this.scope = scope;
    this.itemRegister = itemRegister;
  }

  withVariable(variable: string, register: number): Compiler {
    return new ExpressionCompiler(shadowed(this.scope, variable, register), this.itemRegister);
  }

  withItem(register: number): Compiler {
    return new ExpressionCompiler(this.scope, register);
  }

  compile(node: Expression): Code {
    const hoisted = this.scope.hoisted(node);
    return hoisted === undefined ? compileNode(node, this) : dynamicCode(readRegister(hoisted));
  }
}

function shadowed(scope: CompileScope, variable: string, register: number): CompileScope {
  return {
    register: (name) => (name === variable ? register : scope.register(name)),
    projection: (name, steps) => (name === variable ? undefined : scope.projection(name, steps)),
    hoisted: (node) => scope.hoisted(node),
    allocate: () => scope.allocate(),
    bind: (name) => scope.bind(name),
  };
}

function compileNode(node: Expression, compiler: Compiler): Code {
  switch (node.type) {
    case 'Null':
      return constantCode(null);
    case 'Boolean':
    case 'Number':
    case 'String':
      return constantCode(node.value);
    case 'Array':
      return compileArray(node, compiler);
    case 'Object':
      return compileObject(node, compiler);
    case 'Reference':
      return compileReference(node, compiler);
    case 'BindParameter':
      return compileBind(node, compiler);
    case 'Member':
    case 'BoundMember':
      return compileMember(node, compiler);
    case 'Index':
      return compileIndex(node, compiler);
    case 'Expansion':
      return compileExpansion(node, compiler);
    case 'ExpansionItem':
      assert(compiler.itemRegister !== undefined, 'an ExpansionItem stands in an Expansion');
      return dynamicCode(readRegister(compiler.itemRegister));
    case 'ArrayTest':
      return compileArrayTest(node, compiler);
    case 'Unary':
      return compileUnary(node, compiler);
    case 'Binary':
      return compileBinary(node, compiler);
    case 'ArrayComparison':
      return compileArrayComparison(node, compiler);
    case 'Ternary':
      return compileTernary(node, compiler);
    case 'Range':
      return compileRange(node, compiler);
    case 'FunctionCall':
      return compileCall(node, compiler);
    case 'Satisfies':
      return compileSatisfies(node, compiler);
    case 'Subquery':
    case 'CollectionParameter':
      throw themisError('NOT_IMPLEMENTED', {
        message: `A ${node.type === 'Subquery' ? 'subquery' : 'collection'} cannot be evaluated here.`,
        details: { span: node.span },
      });
  }
}

function compileReference(node: Reference, compiler: Compiler): Code {
  const register = compiler.scope.register(node.name);
  if (register !== undefined) return dynamicCode(readRegister(register));
  throw themisError('AQL_UNKNOWN_VARIABLE', {
    message: `There is no variable ${node.name} in scope.`,
    details: { name: node.name, span: node.span },
  });
}

function compileBind(node: BindParameter, compiler: Compiler): Code {
  const value = compiler.scope.bind(node.name);
  if (value === undefined) throw bindMissing(node.name);
  return constantCode(toEngineValue(value));
}

function compileBinary(node: Binary, compiler: Compiler): Code {
  const left = compiler.compile(node.left);
  const right = compiler.compile(node.right);
  switch (node.operator) {
    case '&&':
    case '||':
      return compileLogic(node.operator, left, right);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return compileArithmetic(node.operator, left, right);
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compileComparison(node.operator, left, right);
    case 'IN':
    case 'NOT IN':
      return compileMembership(node.operator === 'NOT IN', left, right);
    case 'LIKE':
    case 'NOT LIKE':
      return compileLikeOperator(node.operator === 'NOT LIKE', left, right);
    case '=~':
    case '!~':
      return compileRegexOperator(node.operator === '!~', left, right);
  }
}

/** Both return an operand, not a boolean, and evaluate the right one only when needed. */
function compileLogic(operator: '&&' | '||', left: Code, right: Code): Code {
  const first = left.run;
  const second = right.run;
  const and = operator === '&&';
  if (left.constant !== undefined) return truthy(left.constant) === and ? right : left;
  if (and) {
    return dynamicCode((row, context) => {
      const value = first(row, context);
      return truthy(value) ? second(row, context) : value;
    });
  }
  return dynamicCode((row, context) => {
    const value = first(row, context);
    return truthy(value) ? value : second(row, context);
  });
}

function compileTernary(node: Ternary, compiler: Compiler): Code {
  const condition = compiler.compile(node.condition);
  const otherwise = compiler.compile(node.otherwise);
  const then = node.then === undefined ? condition : compiler.compile(node.then);
  if (condition.constant !== undefined) return truthy(condition.constant) ? then : otherwise;
  if (node.then === undefined) {
    return dynamicCode((row, context) => {
      const value = condition.run(row, context);
      return truthy(value) ? value : otherwise.run(row, context);
    });
  }
  return dynamicCode((row, context) =>
    truthy(condition.run(row, context)) ? then.run(row, context) : otherwise.run(row, context),
  );
}

function compileRange(node: Range, compiler: Compiler): Code {
  const from = compiler.compile(node.from);
  const to = compiler.compile(node.to);
  return foldedCode([from, to], (row, context) =>
    evaluateRange(from.run(row, context), to.run(row, context), context),
  );
}
