import { now, type History, type RegisterOperation } from '../history.ts';
import { isFinal, verdictOf, type Answer, type RequestOptions } from './http-client.ts';
import { entityPath, sleep, strong, work, type WorkerOptions } from './worker.ts';

const keysPerRound = 4;
const retryMs = 20;
const afterOpenMs = 500;

type Input = RegisterOperation['input'];
type Outcome = RegisterOperation['outcome'];

interface Seen {
  readonly value: string | null;
  readonly rev: string | undefined;
}

export interface RegisterOptions extends WorkerOptions {
  /** Sends writes again under an idempotency key while their outcome is open, instead of giving up. */
  readonly isPersistent: boolean;
}

/**
 * Reads, writes and compares-and-sets registers, which are documents. No value is written twice, so
 * that the version a compare-and-set names (If-Match) stands for the value it expects.
 */
export function useRegisters(
  options: RegisterOptions,
  history: History<RegisterOperation>,
): Promise<void> {
  const { name, place, prng, http } = options;
  let count = 0;
  let epoch = 0;

  async function record(key: string, input: Input, run: () => Promise<Outcome>): Promise<Outcome> {
    const call = now();
    const outcome = await run();
    const returned = outcome.type === 'unknown' ? Infinity : now();
    const process = `${name}.${epoch}`;
    history.add({ process, key: `${place.round}/${key}`, input, call, returned, outcome });
    // What it did may still be under way: it goes on as another process.
    if (outcome.type === 'unknown') {
      epoch++;
      // Each open write multiplies what the checker has to try.
      await sleep(afterOpenMs);
    }
    return outcome;
  }

  async function read(key: string): Promise<Seen | undefined> {
    let seen: Seen | undefined;
    await record(key, { type: 'read' }, async () => {
      const answer = await http.send('GET', entityPath(place.registers, key), { headers: strong });
      seen = seenIn(answer);
      // A read without an answer has no effect either way.
      if (seen === undefined) return { type: 'failed' };
      return { type: 'ok', output: { type: 'read', value: seen.value } };
    });
    if (seen === undefined) http.next();
    return seen;
  }

  async function put(
    key: string,
    value: string,
    conditions: Record<string, string>,
  ): Promise<Answer[]> {
    const request: RequestOptions = {
      headers: {
        ...conditions,
        ...(options.isPersistent ? { 'idempotency-key': `${place.registers}-${value}` } : {}),
      },
      json: { value },
    };
    const answers: Answer[] = [];
    for (;;) {
      const answer = await http.send('PUT', entityPath(place.registers, key), request);
      answers.push(answer);
      if (isFinal(answer)) return answers;
      http.next();
      if (!options.isPersistent || options.isOver()) return answers;
      await sleep(retryMs);
    }
  }

  async function write(key: string, value: string): Promise<void> {
    await record(key, { type: 'write', value }, async () => {
      const verdict = verdictOfAll(await put(key, value, {}));
      if (verdict === 'done') return { type: 'ok', output: { type: 'write' } };
      return { type: verdict === 'refused' ? 'failed' : 'unknown' };
    });
  }

  async function compareAndSet(key: string, value: string): Promise<void> {
    const seen = await read(key);
    if (seen === undefined) return;
    const condition: Record<string, string> =
      seen.rev === undefined ? { 'if-none-match': '*' } : { 'if-match': `"${seen.rev}"` };
    await record(key, { type: 'cas', expected: seen.value, value }, async () => {
      const answers = await put(key, value, condition);
      const last = answers.at(-1)!;
      const verdict = verdictOfAll(answers);
      if (verdict === 'done') return { type: 'ok', output: { type: 'cas', swapped: true } };
      if (verdict === 'unknown') return { type: 'unknown' };
      if (last.type === 'answer' && last.status === 412) {
        return { type: 'ok', output: { type: 'cas', swapped: false } };
      }
      return { type: 'failed' };
    });
  }

  return work(options, async () => {
    const key = `k${prng.below(keysPerRound)}`;
    const value = `${name}-${count++}`;
    const dice = prng.below(100);
    if (dice < 40) await read(key);
    else if (dice < 75) await write(key, value);
    else await compareAndSet(key, value);
  });
}

function seenIn(answer: Answer): Seen | undefined {
  if (answer.type !== 'answer') return undefined;
  if (answer.code === 'ENTITY_NOT_FOUND') return { value: null, rev: undefined };
  if (answer.status !== 200) return undefined;
  const { value, _rev: rev } = answer.body as { value: string; _rev: string };
  return { value, rev };
}

/**
 * Of attempts under one idempotency key, the final answer counts for all: the server ran the request
 * once, or refused it for good. Without one, a single open attempt leaves all open.
 */
function verdictOfAll(answers: readonly Answer[]): 'done' | 'refused' | 'unknown' {
  const last = answers.at(-1)!;
  if (isFinal(last)) return verdictOf(last);
  return answers.every((answer) => verdictOf(answer) === 'refused') ? 'refused' : 'unknown';
}
