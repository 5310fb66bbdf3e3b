import type { Outcome, Scalar } from '../history.ts';
import type { RegisterInput, RegisterOperation, RegisterOutput } from '../register.ts';

/**
 * Register operations as scripts write them, one a line, in the form that explanations print:
 *
 *     p1 [0, 10] write x 1
 *     p2 [5, 12] read x -> 1
 *     p3 [11, 20] cas x 1 2 -> swapped      (or: mismatch)
 *     p4 [12, ?] write x 3 -> unknown
 *     p5 [12, 14] write x 4 -> failed
 */
export function parseRegisterOperations(text: string): RegisterOperation[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLine);
}

const pattern =
  /^\s*(\S+) \[([\d.]+), ([\d.]+|\?)\] (read|write|cas) (\S+)((?: \S+)*?)(?: -> (\S+))?$/;

function parseLine(line: string): RegisterOperation {
  const match = pattern.exec(line);
  if (match === null) throw new Error(`not an operation: ${line}`);
  const [, process, call, returned, type, key, list, result] = match;
  const values = list!.trim().split(' ').filter(Boolean).map(parseScalar);
  return {
    process: process!,
    key: key!,
    input: inputOf(type!, values),
    call: Number(call),
    returned: returned === '?' ? Number.POSITIVE_INFINITY : Number(returned),
    outcome: outcomeOf(type!, result),
  };
}

function inputOf(type: string, values: Scalar[]): RegisterInput {
  if (type === 'read') return { type };
  if (type === 'write') return { type, value: values[0]! };
  return { type: 'cas', expected: values[0]!, value: values[1]! };
}

function outcomeOf(type: string, result: string | undefined): Outcome<RegisterOutput> {
  if (result === 'unknown' || result === 'failed') return { type: result };
  if (type === 'write') return { type: 'ok', output: { type } };
  if (type === 'read') return { type: 'ok', output: { type, value: parseScalar(result!) } };
  return { type: 'ok', output: { type: 'cas', swapped: result === 'swapped' } };
}

function parseScalar(text: string): Scalar {
  return JSON.parse(text) as Scalar;
}
