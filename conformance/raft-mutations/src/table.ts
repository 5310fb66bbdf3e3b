import { Gates, type Material, type Verdict } from './gates.ts';
import { applyBug, PLANTED } from './planted.ts';
import { readCore, Workspace } from './workspace.ts';

/** Plants each bug in turn and tells which gates catch it; the number of bugs that none does. */
export async function runPlanted(material: Material, workers: number): Promise<number> {
  const queue = PLANTED.map((bug, at) => ({ bug, at, text: applyBug(bug, readCore(bug.file)) }));
  const rows = new Map<number, Row>();
  const work = async (): Promise<void> => {
    const workspace = new Workspace();
    const gates = new Gates(workspace, material);
    try {
      await gates.checkUnchanged();
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        workspace.write(next.bug.file, next.text);
        const { g1, g3, scenarios } = await gates.tryGates('all');
        const tests = await gates.tryTests();
        rows.set(next.at, { name: next.bug.name, tests, g1, g3, scenarios });
        workspace.restore(next.bug.file);
        console.error(`${rows.size} of ${PLANTED.length} planted bugs tried`);
      }
    } finally {
      gates.close();
      workspace.remove();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const ordered = PLANTED.map((_, at) => rows.get(at)!);
  printTable(ordered);
  return ordered.filter(({ tests, g1, g3 }) => ![tests, g1, g3].some(isCaught)).length;
}

interface Row {
  readonly name: string;
  readonly tests: Verdict;
  readonly g1: Verdict;
  readonly g3: Verdict;
  readonly scenarios: number;
}

function isCaught(verdict: Verdict): boolean {
  return verdict !== 'equal' && verdict !== 'not run';
}

function printTable(rows: readonly Row[]): void {
  console.log('| Planted bug | Unit tests | G1 | G3 (scenarios to the first difference) |');
  console.log('|---|---|---|---|');
  const cell = (verdict: Verdict): string => {
    if (verdict === 'time-out') return 'caught (hangs)';
    return verdict === 'differs' ? 'caught' : '-';
  };
  for (const { name, tests, g1, g3, scenarios } of rows) {
    const count = g3 === 'differs' && scenarios > 0 ? ` (${scenarios})` : '';
    console.log(`| ${name} | ${cell(tests)} | ${cell(g1)} | ${cell(g3)}${count} |`);
  }
}
