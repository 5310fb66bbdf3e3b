import type { Prng } from '@themisdb/base';
import type { ListValue, Step, Transaction } from '../list-append/transaction.ts';

const keys = ['x', 'y'];

export interface TinyLimits {
  readonly transactionsMax: number;
  readonly stepsMax: number;
}

/**
 * A few transactions of a few steps, with reads that are likely to fit: most
 * show the beginning of one order of appends for each key, and what the transaction appended itself.
 */
export function randomTinyTransactions(
  prng: Prng,
  limits: TinyLimits = { transactionsMax: 4, stepsMax: 6 },
): Transaction[] {
  const shapes = randomShapes(prng, limits);
  const orders = new Map(keys.map((key) => [key, randomOrder(prng, shapes, key)]));
  const span = prng.pick([4, 8, 16]);
  return shapes.map((steps, process) => {
    const outcome = prng.pick([
      'committed',
      'committed',
      'committed',
      'unknown',
      'failed',
    ] as const);
    const call = prng.below(span);
    const returned = outcome === 'unknown' ? Infinity : call + prng.below(span / 2);
    return { process, call, returned, outcome, steps: fillReads(prng, steps, orders) };
  });
}

function randomShapes(prng: Prng, limits: TinyLimits): Step[][] {
  const shapes = Array.from({ length: prng.between(2, limits.transactionsMax) }, (): Step[] => []);
  const appended = new Map<string, number>();
  const stepCount = prng.between(shapes.length, limits.stepsMax);
  for (let at = 0; at < stepCount; at++) {
    const shape = at < shapes.length ? shapes[at]! : prng.pick(shapes);
    const key = prng.pick(keys);
    if (prng.chance(0.5)) shape.push({ type: 'read', key, values: undefined });
    else {
      const value = (appended.get(key) ?? 0) + 1;
      appended.set(key, value);
      shape.push({ type: 'append', key, value });
    }
  }
  return shapes;
}

function randomOrder(prng: Prng, shapes: readonly Step[][], key: string): ListValue[] {
  const values = shapes
    .flat()
    .flatMap((step) => (step.type === 'append' && step.key === key ? [step.value] : []));
  return prng.shuffle(values).slice(0, prng.between(0, values.length + 1));
}

function fillReads(
  prng: Prng,
  steps: readonly Step[],
  orders: ReadonlyMap<string, readonly ListValue[]>,
): Step[] {
  const own = new Map<string, ListValue[]>();
  return steps.map((step): Step => {
    const { key } = step;
    const mine = own.get(key) ?? [];
    own.set(key, mine);
    if (step.type === 'append') {
      mine.push(step.value);
      return step;
    }
    if (prng.chance(0.05)) return step;
    const order = orders.get(key)!;
    const seen = order.slice(0, prng.below(order.length + 1));
    if (prng.chance(0.05)) prng.shuffle(seen);
    if (prng.chance(0.03)) seen.push(prng.between(1, 4));
    const isOwnSeen = prng.chance(0.9);
    const others = isOwnSeen ? seen.filter((value) => !mine.includes(value)) : seen;
    return { type: 'read', key, values: isOwnSeen ? [...others, ...mine] : others };
  });
}
