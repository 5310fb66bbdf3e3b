import type { ListValue, Step, Transaction } from '../list-append/transaction.ts';

/**
 * Transactions as scripts write them, one a line, in the form that explanations print:
 *
 *     a [0, 10] append x 1, read y [1 2]
 *     b [5, ?] append x 2, read y -> unknown
 *     c [5, 12] append x 3 -> failed
 */
export function parseTransactions(text: string): Transaction[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLine);
}

const pattern = /^\s*(\S+) \[([\d.]+), ([\d.]+|\?)\] (.+?)(?: -> (failed|unknown))?$/;
const stepPattern = /^(append|read) (\S+)(?: (\S+|\[.*\]))?$/;

function parseLine(line: string): Transaction {
  const match = pattern.exec(line);
  if (match === null) throw new Error(`not a transaction: ${line}`);
  const [, process, call, returned, steps, outcome] = match;
  return {
    process: process!,
    call: Number(call),
    returned: returned === '?' ? Number.POSITIVE_INFINITY : Number(returned),
    outcome: (outcome ?? 'committed') as Transaction['outcome'],
    steps: steps!.split(', ').map(parseStep),
  };
}

function parseStep(text: string): Step {
  const match = stepPattern.exec(text);
  if (match === null) throw new Error(`not a step: ${text}`);
  const [, type, key, rest] = match;
  if (type === 'append') return { type, key: key!, value: JSON.parse(rest!) as ListValue };
  const values = rest?.slice(1, -1).split(' ').filter(Boolean);
  return { type: 'read', key: key!, values: values?.map((item) => JSON.parse(item) as ListValue) };
}
