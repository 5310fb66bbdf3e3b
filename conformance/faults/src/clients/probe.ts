import type { Violation } from '../faults/kind.ts';
import { now } from '../history.ts';
import { isFinal, verdictOf, type Answer } from './http-client.ts';
import { entityPath, sleep, strong, work, type WorkerOptions } from './worker.ts';

/** An insert that was acknowledged, and when the attempt that brought the answer began and ended. */
export interface Ack {
  readonly key: string;
  readonly attempted: number;
  readonly returned: number;
}

export interface ProbeLog {
  readonly name: string;
  readonly acks: Ack[];
  /** Inserts certainly not done: they must not be found. */
  readonly refused: string[];
  readonly violations: Violation[];
  strongReads: number;
}

const retryMs = 20;

/**
 * Inserts documents of fresh keys, one after the other, each again and again under one idempotency
 * key until it is acknowledged: as an application does that needs the write. After each success it
 * moves on; after each failure it tries another node.
 */
export function probe(
  options: WorkerOptions & { readonly padBytes: number },
  log: ProbeLog,
): Promise<void> {
  const { http, name, place } = options;
  const pad = 'x'.repeat(options.padBytes);
  let n = 0;
  return work(options, async () => {
    const key = `${name}-${n++}`;
    const headers = {
      'idempotency-key': `${place.acks}-${key}`,
      'if-none-match': '*',
    };
    const attempts: string[] = [];
    for (let wasRefused = true; ;) {
      const attempted = now();
      const answer = await http.send('PUT', entityPath(place.acks, key), {
        headers,
        json: { value: key, pad },
      });
      const verdict = verdictOf(answer);
      // Of a node that is down there is nothing to tell.
      if (answer.type !== 'refused') attempts.push(describe(http.endpoint, attempted, answer));
      if (verdict === 'done') {
        log.acks.push({ key, attempted, returned: now() });
        return;
      }
      if (isFinal(answer) && answer.type === 'answer') {
        const text = `insert of ${key} under one idempotency key: ${attempts.join('; ')}`;
        log.violations.push({ type: 'other', count: 1, text });
        return;
      }
      wasRefused &&= verdict === 'refused';
      if (options.isOver()) {
        if (wasRefused) log.refused.push(key);
        return;
      }
      http.next();
      await sleep(retryMs);
    }
  });
}

/** `127.0.0.1:8001 at 1234: 503 NO_LEADER`. */
function describe(endpoint: string, attempted: number, answer: Answer): string {
  const what = answer.type === 'answer' ? `${answer.status} ${detailOf(answer.body)}` : answer.type;
  return `${endpoint.replace('http://', '')} at ${Math.round(attempted)}: ${what}`;
}

function detailOf(body: unknown): string {
  const { detail = '', error } = (body ?? {}) as { detail?: string; error?: unknown };
  return `${detail} ${JSON.stringify(error)}`;
}

/** Reads, at any node, the newest insert another client heard to be done: a strong read must find it. */
export function watch(
  options: WorkerOptions,
  logs: readonly ProbeLog[],
  mine: ProbeLog,
): Promise<void> {
  const { http, prng, place } = options;
  return work(options, async () => {
    const log = prng.pick(logs);
    const newest = log.acks.at(-1);
    if (newest === undefined) return;
    http.goTo(prng.below(1000));
    const called = now();
    const answer = await http.send('GET', entityPath(place.acks, newest.key), { headers: strong });
    if (answer.type !== 'answer') return;
    if (answer.status === 200) mine.strongReads++;
    if (answer.status === 404) {
      const text = `stale strong read at ${http.endpoint}: ${newest.key} was acknowledged at ${newest.returned}, read at ${called} and not found (${answer.code})`;
      mine.violations.push({ type: 'stale-read', count: 1, text });
    }
  });
}
