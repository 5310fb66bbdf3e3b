import ts from 'typescript';

/** One small change of a source file. */
export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly operator: string;
  /** The function it is in, the text changed and what it became: stable while other lines move. */
  readonly key: string;
  readonly before: string;
  readonly after: string;
  readonly text: string;
}

/**
 * All mutants of a file. Left alone are types, assertions and log lines: they say what should be true
 * or what happened, and change no behaviour.
 */
export function mutantsOf(file: string, source: string): Mutant[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023, true);
  const mutants: Mutant[] = [];
  const seen = new Set<string>();
  const occurrences = new Map<string, number>();
  const visit = (node: ts.Node, scope: string): void => {
    if (isLeftAlone(node)) return;
    const inner = nameOf(node) ?? scope;
    for (const { operator, at, after } of changesOf(node)) {
      const [start, end] = [at.getStart(), at.getEnd()];
      const before = source.slice(start, end);
      const text = source.slice(0, start) + after + source.slice(end);
      if (seen.has(text) || text === source) continue;
      seen.add(text);
      const base = `${file} ${inner}: ${oneLine(before)} -> ${oneLine(after)}`;
      const count = (occurrences.get(base) ?? 0) + 1;
      occurrences.set(base, count);
      const { line } = tree.getLineAndCharacterOfPosition(start);
      const key = count === 1 ? base : `${base} (${count})`;
      mutants.push({ file, line: line + 1, operator, key, before, after, text });
    }
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(tree, '(top)');
  return mutants;
}

interface Change {
  readonly operator: string;
  readonly at: ts.Node;
  readonly after: string;
}

function changesOf(node: ts.Node): Change[] {
  return [
    ...operatorChanges(node),
    ...conditionChanges(node),
    ...literalChanges(node),
    ...statementChanges(node),
    ...callChanges(node),
  ];
}

const OPERATORS: ReadonlyMap<ts.SyntaxKind, readonly string[]> = new Map([
  [ts.SyntaxKind.LessThanToken, ['<=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<']],
  [ts.SyntaxKind.GreaterThanToken, ['>=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['||']],
  [ts.SyntaxKind.BarBarToken, ['&&']],
  [ts.SyntaxKind.PlusToken, ['-']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.PlusEqualsToken, ['-=']],
  [ts.SyntaxKind.MinusEqualsToken, ['+=']],
]);

function operatorChanges(node: ts.Node): Change[] {
  if (ts.isBinaryExpression(node)) {
    if (node.operatorToken.kind === ts.SyntaxKind.PlusToken && isText(node)) return [];
    const others = OPERATORS.get(node.operatorToken.kind) ?? [];
    return others.map((after) => ({ operator: 'operator', at: node.operatorToken, after }));
  }
  if (ts.isPostfixUnaryExpression(node)) {
    const isUp = node.operator === ts.SyntaxKind.PlusPlusToken;
    const after = `${node.operand.getText()}${isUp ? '--' : '++'}`;
    return [{ operator: 'operator', at: node, after }];
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [{ operator: 'negation', at: node, after: node.operand.getText() }];
  }
  return [];
}

function isText(node: ts.BinaryExpression): boolean {
  return /['"`]/.test(node.getText());
}

function conditionChanges(node: ts.Node): Change[] {
  const condition = conditionOf(node);
  if (condition === undefined) return [];
  return [{ operator: 'condition', at: condition, after: `!(${condition.getText()})` }];
}

function conditionOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return node.expression;
  if (ts.isConditionalExpression(node) || ts.isForStatement(node)) return node.condition;
  return undefined;
}

function literalChanges(node: ts.Node): Change[] {
  if (ts.isNumericLiteral(node) && !ts.isPropertyAssignment(node.parent)) {
    const value = Number(node.text);
    const others = value === 0 ? [1] : [value + 1, value - 1];
    return others.map((after) => ({ operator: 'constant', at: node, after: String(after) }));
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) {
    return [{ operator: 'constant', at: node, after: 'false' }];
  }
  if (node.kind === ts.SyntaxKind.FalseKeyword) {
    return [{ operator: 'constant', at: node, after: 'true' }];
  }
  return [];
}

/** Removes a statement: an expression, a jump, or a guard's return. */
function statementChanges(node: ts.Node): Change[] {
  const isRemovable =
    ts.isExpressionStatement(node) ||
    ts.isReturnStatement(node) ||
    ts.isContinueStatement(node) ||
    ts.isBreakStatement(node);
  return isRemovable ? [{ operator: 'removal', at: node, after: ';' }] : [];
}

function callChanges(node: ts.Node): Change[] {
  if (!ts.isPropertyAccessExpression(node) || node.expression.getText() !== 'Math') return [];
  const others: Readonly<Record<string, string>> = { min: 'max', max: 'min' };
  const other = others[node.name.text];
  return other === undefined ? [] : [{ operator: 'call', at: node, after: `Math.${other}` }];
}

function isLeftAlone(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) {
    return true;
  }
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true;
  if (isLogCall(node) || isAssertCall(node) || isTextCall(node)) return true;
  if (ts.isExpressionStatement(node)) {
    return isLogCall(node.expression) || isAssertCall(node.expression);
  }
  return nameOf(node) !== undefined && TEXT_FUNCTIONS.test(nameOf(node)!);
}

/** Functions that only build text for logs. */
const TEXT_FUNCTIONS = /^(toString|describe\w*|#describe\w*|logRestored|#info|#check|checkStep)$/;

function isLogCall(node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) &&
    /(logger\??\.log|#info|logRestored)$/.test(node.expression.getText())
  );
}

/** An id as log lines show it. */
function isTextCall(node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === 'toString'
  );
}

function isAssertCall(node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) &&
    /^(assert\w*|unreachable|this\.#check)$/.test(node.expression.getText())
  );
}

function nameOf(node: ts.Node): string | undefined {
  if (
    ts.isFunctionDeclaration(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isGetAccessorDeclaration(node)
  ) {
    return node.name?.getText();
  }
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  if (ts.isVariableDeclaration(node) && node.initializer && ts.isArrowFunction(node.initializer)) {
    return node.name.getText();
  }
  return undefined;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}
