import type { Prng } from '@themisdb/base';
import type { Outcome } from '../history.ts';
import type { RegisterInput, RegisterOperation, RegisterOutput } from '../register.ts';

/** Any two to six operations on one register, mostly nonsense, with many equal times. */
export function randomTinyHistory(prng: Prng): RegisterOperation[] {
  const span = prng.pick([4, 8, 16]);
  return Array.from({ length: prng.between(2, 6) }, (_, process) => {
    const input = drawInput(prng);
    const outcome = drawOutcome(prng, input);
    const call = prng.below(span);
    const returned = outcome.type === 'unknown' ? Infinity : call + prng.below(span / 2);
    return { process, key: 'x', input, call, returned, outcome };
  });
}

function drawInput(prng: Prng): RegisterInput {
  const value = (): number | null => prng.pick([null, 1, 1, 2, 2]);
  switch (prng.below(4)) {
    case 0:
      return { type: 'read' };
    case 1:
      return { type: 'cas', expected: value(), value: value() };
    default:
      return { type: 'write', value: value() };
  }
}

function drawOutcome(prng: Prng, input: RegisterInput): Outcome<RegisterOutput> {
  const draw = prng.float();
  if (draw < 0.05) return { type: 'failed' };
  if (draw < 0.25) return { type: 'unknown' };
  switch (input.type) {
    case 'read':
      return { type: 'ok', output: { type: 'read', value: prng.pick([null, 1, 1, 2]) } };
    case 'write':
      return { type: 'ok', output: { type: 'write' } };
    case 'cas':
      return { type: 'ok', output: { type: 'cas', swapped: prng.chance(0.4) } };
  }
}
