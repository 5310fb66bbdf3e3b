import { makeObject, objectFrom, type Value, type ValueObject } from '@themisdb/base';
import { printExpression, type Expression } from '@themisdb/aql';
import type { ExplainedNode, Explanation, QueryWarning } from '../query-engine.ts';
import { engineValue } from '../params.ts';
import { estimateNode, type Estimate } from './cost.ts';
import type { Access, IndexRangePlan, Pipeline, Plan, PlanNode, ScanNode } from './node.ts';
import type { Statistics } from './rule.ts';
import { nestedOf } from './variables.ts';

/** The physical plan for people and programs. */
export function explainPlan(
  prepared: { readonly plan: Plan; readonly applied: readonly string[] },
  statistics: Statistics,
): Explanation {
  const { plan, applied } = prepared;
  const nodes: ExplainedNode[] = [];
  const last = explainPipeline(plan.root, 0, nodes, statistics);
  const access = (kind: 'read' | 'write') => (collection: { readonly name: string }) => ({
    name: collection.name,
    access: kind,
  });
  const warnings = plan.warnings.map((warning): QueryWarning => ({ ...warning }));
  return {
    nodes,
    planText: planText(nodes, applied),
    estimatedCost: last.cost,
    estimatedRows: last.rows,
    rules: applied,
    collections: [...plan.reads.map(access('read')), ...plan.writes.map(access('write'))],
    warnings,
    modifies: plan.modifies,
  };
}

/** The explanation as a value, for the prefix EXPLAIN. */
export function explanationValue(explanation: Explanation): Value {
  return engineValue(JSON.parse(JSON.stringify(explanation)) as Value);
}

function explainPipeline(
  pipeline: Pipeline,
  depth: number,
  out: ExplainedNode[],
  statistics: Statistics,
): Estimate {
  let estimate: Estimate = { rows: 1, cost: 0 };
  for (const node of pipeline) {
    estimate = estimateNode(node, estimate, statistics);
    const explained = {
      id: node.id,
      depth,
      type: node.type,
      text: nodeText(node),
      estimatedRows: estimate.rows,
      estimatedCost: estimate.cost,
      details: node.type === 'scan' ? scanDetails(node) : makeObject(),
    };
    out.push(explained);
    for (const inner of nestedOf(node)) explainPipeline(inner, depth + 1, out, statistics);
  }
  return estimate;
}

function planText(nodes: readonly ExplainedNode[], applied: readonly string[]): string {
  const lines = nodes.map(({ depth, text, estimatedRows }) => {
    const rows = `~${formatRows(estimatedRows)}`;
    return `${rows.padStart(8)}  ${'  '.repeat(depth)}${text}`;
  });
  const rules = applied.length === 0 ? [] : [`rules: ${applied.join(', ')}`];
  return [...lines, ...rules].join('\n');
}

function formatRows(rows: number): string {
  return rows >= 10 ? String(Math.round(rows)) : String(Math.round(rows * 10) / 10);
}

function nodeText(node: PlanNode): string {
  switch (node.type) {
    case 'scan':
      return scanText(node);
    case 'enumerate':
      return `FOR ${node.variable} IN ${show(node.list)}`;
    case 'filter':
      return `FILTER ${show(node.condition)}`;
    case 'let':
      return `LET ${node.variable} = ${show(node.value)}`;
    case 'subquery':
      return `LET ${node.variable} = (subquery)${node.once ? ' once' : ''}`;
    case 'lookup':
      return `LET ${node.variable} = DOCUMENT(${[node.collection, node.ids].flatMap((part) => (part === undefined ? [] : [show(part)])).join(', ')})`;
    case 'materialise':
      return `decode ${node.variable}`;
    case 'count':
      return `LET ${node.variable} = COUNT(${node.collection.name})`;
    case 'sort': {
      const keys = node.keys.map(
        ({ expression, descending }) => show(expression) + (descending ? ' DESC' : ''),
      );
      return `SORT ${keys.join(', ')}${node.top === undefined ? '' : ` keep first ${show(node.top)}`}`;
    }
    case 'limit':
      return `LIMIT ${node.offset === undefined ? '' : `${show(node.offset)}, `}${show(node.count)}${node.fullCount ? ' counting all' : ''}`;
    case 'collect':
      return collectText(node);
    case 'window': {
      const range = node.range === undefined ? '' : `${show(node.range)} WITH `;
      return `WINDOW ${range}{ preceding: ${show(node.preceding)}, following: ${show(node.following)} }${aggregatesText(node.aggregates)}`;
    }
    case 'modify': {
      const parts = [node.key, node.document].flatMap((part) =>
        part === undefined ? [] : [show(part)],
      );
      return `${node.operation.toUpperCase()} ${parts.join(' WITH ')} IN ${node.collection.name}`;
    }
    case 'upsert':
      return `UPSERT INSERT ${show(node.insert)} ${node.modifyKind.toUpperCase()} ${show(node.modify)} IN ${node.collection.name}`;
    case 'return':
      return `RETURN ${node.distinct ? 'DISTINCT ' : ''}${show(node.value)}`;
  }
}

function collectText(node: Extract<PlanNode, { type: 'collect' }>): string {
  const groups = node.groups.map(({ variable, value }) => `${variable} = ${show(value)}`);
  return [
    `COLLECT ${groups.join(', ')}`.trimEnd(),
    aggregatesText(node.aggregates),
    node.into === undefined ? '' : ` INTO ${node.into.variable} = ${show(node.into.value)}`,
    node.count === undefined ? '' : ` WITH COUNT INTO ${node.count}`,
    ` by ${node.method}`,
  ].join('');
}

function aggregatesText(aggregates: Extract<PlanNode, { type: 'collect' }>['aggregates']): string {
  if (aggregates.length === 0) return '';
  const parts = aggregates.map(
    (entry) => `${entry.variable} = ${entry.function}(${show(entry.argument)})`,
  );
  return ` AGGREGATE ${parts.join(', ')}`;
}

function scanText(node: ScanNode): string {
  const parts = [`FOR ${node.variable} IN ${node.collection.name} ${accessText(node.access)}`];
  if (node.filters.length > 0) parts.push(`filter ${node.filters.map(show).join(' && ')}`);
  if (node.limit !== undefined) parts.push(`limit ${show(node.limit)}`);
  const { document, projections } = node.output;
  if (document === 'none' || document === 'record') {
    const names = projections.map(({ steps }) => steps.join('.'));
    if (document === 'record') names.push('the rest later');
    parts.push(names.length === 0 ? 'reading nothing' : `reading ${names.join(', ')}`);
  }
  return parts.join(', ');
}

function accessText(access: Access): string {
  switch (access.type) {
    case 'full':
      return 'full scan';
    case 'primary':
      return `by ${access.attribute} ${access.many ? 'IN' : '=='} ${show(access.value)}`;
    case 'index': {
      const words = [`index ${access.ranges.map(rangeText).join(' or ')}`];
      if (access.reverse) words.push('reverse');
      if (access.covering) words.push('covering');
      return words.join(' ');
    }
    case 'hash': {
      const keys = access.keys.map(({ inner, outer }) => `${show(inner)} == ${show(outer)}`);
      const filters =
        access.buildFilters.length === 0
          ? ''
          : ` where ${access.buildFilters.map(show).join(' && ')}`;
      return `hash join on ${keys.join(' && ')} over ${accessText(access.build)}${filters}`;
    }
  }
}

function rangeText({ index, equal, lower, upper }: IndexRangePlan): string {
  const conditions = equal.map(
    ({ value, many }, i) => `${index.fields[i]!} ${many ? 'IN' : '=='} ${show(value)}`,
  );
  const field = index.fields[equal.length] ?? '';
  if (lower !== undefined) {
    conditions.push(`${field} ${lower.inclusive ? '>=' : '>'} ${show(lower.value)}`);
  }
  if (upper !== undefined) {
    conditions.push(`${field} ${upper.inclusive ? '<=' : '<'} ${show(upper.value)}`);
  }
  return conditions.length === 0
    ? `${index.name} whole`
    : `${index.name} (${conditions.join(' && ')})`;
}

function scanDetails(node: ScanNode): ValueObject {
  const { access, output } = node;
  const used = access.type === 'hash' ? access.build : access;
  const details = makeObject();
  details['collection'] = node.collection.name;
  details['access'] = access.type;
  if (used.type === 'index') {
    details['indexes'] = [...new Set(used.ranges.map(({ index }) => index.name))];
    details['covering'] = used.covering;
    details['reverse'] = used.reverse;
  }
  details['filters'] = node.filters.map(show);
  details['document'] = output.document !== 'none';
  details['projections'] = output.projections.map(({ steps }) => [...steps]);
  return objectFrom(details);
}

/** The planner's names as they are, not in the quotes the language would want. */
function show(node: Expression): string {
  return printExpression(node).replace(/`([@#][\w.]+|[^`]+~\d+)`/g, '$1');
}
