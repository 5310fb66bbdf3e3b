import { now, type History, type ListStep, type ListTransaction } from '../history.ts';
import { verdictOf, type Answer, type RequestOptions } from './http-client.ts';
import { entityPath, strong, work, type WorkerOptions } from './worker.ts';

const keysPerRound = 4;
const stepsMax = 4;

/**
 * Transactions that append to lists and read them, held open over several requests. A list is an
 * array in a document; an append reads and writes it whole.
 */
export function useLists(options: WorkerOptions, history: History<ListTransaction>): Promise<void> {
  const { name, place, prng, http } = options;
  let count = 0;
  let epoch = 0;

  /** The steps done, and whether all of them were. */
  async function runSteps(
    id: string,
    plan: readonly ListStep[],
  ): Promise<{ readonly steps: ListStep[]; readonly isWhole: boolean }> {
    const headers = { 'x-themis-transaction': id };
    const steps: ListStep[] = [];
    for (const step of plan) {
      const path = entityPath(place.lists, step.key.split('/')[1]!);
      const answer = await http.send('GET', path, { headers });
      const values = listIn(answer);
      if (values === undefined) return { steps, isWhole: false };
      if (step.type === 'read') {
        steps.push({ ...step, values });
        continue;
      }
      steps.push(step);
      const json = { values: [...values, step.value] };
      const written = await http.send('PUT', path, { headers, json });
      if (verdictOf(written) !== 'done') return { steps, isWhole: false };
    }
    return { steps, isWhole: true };
  }

  function makePlan(): ListStep[] {
    return Array.from({ length: 1 + prng.below(stepsMax) }, (): ListStep => {
      const key = `${place.round}/l${prng.below(keysPerRound)}`;
      if (prng.chance(0.5)) return { type: 'read', key };
      return { type: 'append', key, value: `${name}-${count++}` };
    });
  }

  return work(options, async () => {
    const call = now();
    const json = { isolation: 'serializable' };
    const begun = await http.send('POST', '/transaction/begin', { headers: strong, json });
    if (verdictOf(begun) !== 'done') return http.next();
    const { id } = (begun as { body: { id: string } }).body;
    const { steps, isWhole } = await runSteps(id, makePlan());
    const end: RequestOptions = { json: { id } };
    const outcome = isWhole
      ? outcomeOf(await http.send('POST', '/transaction/commit', end))
      : 'failed';
    const returned = outcome === 'unknown' ? Infinity : now();
    history.add({ process: `${name}.${epoch}`, call, returned, outcome, steps });
    if (outcome === 'unknown') epoch++;
    if (!isWhole) await http.send('POST', '/transaction/rollback', end);
    if (!isWhole || outcome === 'unknown') http.next();
  });
}

function listIn(answer: Answer): readonly string[] | undefined {
  if (answer.type !== 'answer') return undefined;
  if (answer.code === 'ENTITY_NOT_FOUND') return [];
  return answer.status === 200 ? (answer.body as { values: string[] }).values : undefined;
}

function outcomeOf(answer: Answer): ListTransaction['outcome'] {
  const verdict = verdictOf(answer);
  if (verdict === 'done') return 'committed';
  return verdict === 'refused' ? 'failed' : 'unknown';
}
