import type { Plan } from './node.ts';

/** The plan whose last LIMIT at the top counts all rows it gets. */
export function withFullCount(plan: Plan): Plan {
  const last = plan.root.findLastIndex((node) => node.type === 'limit');
  if (last < 0) return plan;
  const root = plan.root.map((node, i) =>
    i === last && node.type === 'limit' ? { ...node, fullCount: true } : node,
  );
  return { ...plan, root };
}
