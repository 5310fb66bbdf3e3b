import type { Clock } from '@themisdb/base';
import type { Explanation, ProfiledNode, QueryProfile } from '../query-engine.ts';
import type { Batches } from './operator.ts';

interface Measured {
  calls: number;
  batches: number;
  rows: number;
  runtimeMs: number;
}

/** Measures the operators of one execution, by plan node; those of subqueries over all their calls. */
export class Profiler {
  readonly #clock: Clock;
  readonly #measured = new Map<number, Measured>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(nodeId: number): Readonly<Measured> | undefined {
    return this.#measured.get(nodeId);
  }

  measure(nodeId: number, stream: Batches): Batches {
    let counts = this.#measured.get(nodeId);
    if (counts === undefined) {
      this.#measured.set(nodeId, (counts = { calls: 0, batches: 0, rows: 0, runtimeMs: 0 }));
    }
    counts.calls++;
    return measured(stream, counts, this.#clock);
  }
}

async function* measured(stream: Batches, counts: Measured, clock: Clock): Batches {
  try {
    for (;;) {
      const startMs = clock.monotonicMs();
      const next = await stream.next();
      counts.runtimeMs += clock.monotonicMs() - startMs;
      if (next.done === true) return;
      counts.batches++;
      counts.rows += next.value.length;
      yield next.value;
    }
  } finally {
    await stream.return?.();
  }
}

/** What was measured, next to what was estimated. */
export function profileOf(
  explanation: Explanation,
  profiler: Profiler,
  phases: QueryProfile['phases'],
): QueryProfile {
  const nodes = explanation.nodes.flatMap((node): ProfiledNode[] => {
    const counts = profiler.get(node.id);
    if (counts === undefined) return [];
    const { id, depth, type, text, estimatedRows } = node;
    return [{ id, depth, type, text, estimatedRows, ...counts }];
  });
  return { planText: profileText(nodes), nodes, phases };
}

function profileText(nodes: readonly ProfiledNode[]): string {
  const cell = (text: string | number, width: number): string => String(text).padStart(width);
  const head = `${cell('calls', 8)}${cell('rows', 12)}${cell('estimated', 12)}${cell('ms', 12)}  operator`;
  const lines = nodes.map(
    (node) =>
      cell(node.calls, 8) +
      cell(node.rows, 12) +
      cell(Math.round(node.estimatedRows), 12) +
      cell(node.runtimeMs.toFixed(3), 12) +
      `  ${'  '.repeat(node.depth)}${node.text}`,
  );
  return [head, ...lines].join('\n');
}
