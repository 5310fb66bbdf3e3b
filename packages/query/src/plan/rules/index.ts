import type { Rule } from '../rule.ts';
import { collectCount } from './collect-count.ts';
import { evaluateSubqueriesOnce } from './evaluate-subqueries-once.ts';
import { foldConstantParts } from './fold-constants.ts';
import { fuseFilters } from './fuse-filters.ts';
import { hashJoin } from './hash-join.ts';
import { inlineLets } from './inline-lets.ts';
import { inlineObjectAttributes } from './inline-object-attributes.ts';
import { inlineSubqueries } from './inline-subqueries.ts';
import { lateDocumentMaterialization } from './late-document-materialization.ts';
import { limitIntoScan } from './limit-into-scan.ts';
import { moveFiltersUp } from './move-filters-up.ts';
import { optimizeSubqueries } from './optimize-subqueries.ts';
import { reduceExtractionToProjection } from './reduce-extraction-to-projection.ts';
import { reduceModificationToKey } from './reduce-modification-to-key.ts';
import { removeUnnecessaryCalculations } from './remove-unnecessary-calculations.ts';
import { replaceOrWithIn } from './replace-or-with-in.ts';
import { sortLimit } from './sort-limit.ts';
import { splitFilters } from './split-filters.ts';
import { useCoveringIndex } from './use-covering-index.ts';
import { useIndexForSort } from './use-index-for-sort.ts';
import { useIndexes } from './use-indexes.ts';

/** All rules in the order they run. */
export const rules: readonly Rule[] = [
  foldConstantParts,
  inlineSubqueries,
  inlineLets,
  inlineObjectAttributes,
  removeUnnecessaryCalculations,
  optimizeSubqueries,
  splitFilters,
  moveFiltersUp,
  replaceOrWithIn,
  evaluateSubqueriesOnce,
  collectCount,
  useIndexes,
  hashJoin,
  useIndexForSort,
  sortLimit,
  fuseFilters,
  limitIntoScan,
  reduceModificationToKey,
  reduceExtractionToProjection,
  lateDocumentMaterialization,
  useCoveringIndex,
];
