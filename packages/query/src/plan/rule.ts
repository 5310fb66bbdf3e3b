import type { Value } from '@themisdb/base';
import type { CollectionInfo, IndexInfo, IndexStatistics } from '@themisdb/storage';
import type { Pipeline, PlanNode } from './node.ts';

/**
 * One rewrite of a plan that keeps its results. A rule sees one pipeline at a time, inner ones first,
 * and returns the very same array when it has nothing to do.
 */
export interface Rule {
  /** As in ArangoDB where it has the same rule; what `optimizer.rules` and EXPLAIN call it. */
  readonly name: string;
  apply(pipeline: Pipeline, context: RuleContext): Pipeline;
}

/** What rules may know besides the plan. */
export interface RuleContext {
  /** A fresh node id. */
  id(): number;
  /** The value of a bind parameter (without @), for estimates and for what depends on its type. */
  param(name: string): Value | undefined;
  /** False when the query reads an earlier moment, for which there are no index entries. */
  readonly indexesReadable: boolean;
  readonly statistics: Statistics;
  /** How often the pipeline at hand runs, as estimated: once at the top, per row in a subquery. */
  readonly repeats: number;
  warn(code: string, message: string): void;
}

export interface Statistics {
  approximateCount(collection: CollectionInfo): number;
  indexStatistics(index: IndexInfo): IndexStatistics;
}

/** The pipeline with `change` applied to the pipelines inside its nodes. */
export function mapNested(
  pipeline: Pipeline,
  change: (inner: Pipeline, index: number) => Pipeline,
): Pipeline {
  let changed = false;
  const out = pipeline.map((node, i): PlanNode => {
    if (node.type === 'subquery') {
      const body = change(node.body, i);
      if (body === node.body) return node;
      changed = true;
      return { ...node, body };
    }
    if (node.type !== 'upsert') return node;
    const search = change(node.search, i);
    if (search === node.search) return node;
    changed = true;
    return { ...node, search };
  });
  return changed ? out : pipeline;
}
