import { checkLinearizability, checkTransactions, registerModel } from '@themisdb/simulator';
import type { History, ListTransaction, RegisterOperation } from './history.ts';

export interface Verdict {
  readonly isGood: boolean;
  readonly text: string;
}

/** What packages/simulator makes of the histories; the files can be checked again by `npm run check-history`. */
export function checkHistories(
  registers: History<RegisterOperation>,
  lists: History<ListTransaction>,
): Verdict[] {
  return [checkRegisters(registers), checkLists(lists)];
}

const stepsMax = 10_000_000;

function checkRegisters({ entries, path }: History<RegisterOperation>): Verdict {
  const verdict = checkLinearizability(registerModel, entries, { stepsMax });
  const facts = `registers: ${entries.length} operations (${countsOf(entries.map(({ outcome }) => outcome.type))})`;
  if (verdict.type === 'linearizable') return { isGood: true, text: `${facts}: linearizable` };
  return { isGood: false, text: `${facts}: ${verdict.type} in ${path}\n${verdict.text}` };
}

function checkLists({ entries, path }: History<ListTransaction>): Verdict {
  const verdict = checkTransactions(entries, 'strict-serializable');
  const facts = `lists: ${entries.length} transactions (${countsOf(entries.map(({ outcome }) => outcome))})`;
  if (verdict.type === 'valid') return { isGood: true, text: `${facts}: strict serializable` };
  return { isGood: false, text: `${facts}: ${verdict.type} in ${path}\n${verdict.text}` };
}

/** `3 ok, 1 failed`. */
function countsOf(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ');
}
