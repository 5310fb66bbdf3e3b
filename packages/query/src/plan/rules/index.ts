import type { Rule } from '../rule.ts';
import { reduceExtractionToProjection } from './reduce-extraction-to-projection.ts';

/** All rules in the order they run. */
export const rules: readonly Rule[] = [reduceExtractionToProjection];
