import { Prng } from '@themisdb/base';
import { HttpClient, type Answer } from './clients/http-client.ts';
import { useLists } from './clients/lists.ts';
import { probe, watch, type ProbeLog } from './clients/probe.ts';
import { useRegisters } from './clients/registers.ts';
import { placeOf, sleep, strong, type Place, type WorkerOptions } from './clients/worker.ts';
import type { ClusterUnderTest } from './cluster/cluster-under-test.ts';
import type { DamageLedger } from './damage/ledger.ts';
import type { FaultKind, Scene, Violation } from './faults/kind.ts';
import { now, type History, type ListTransaction, type RegisterOperation } from './history.ts';

export interface RoundOptions {
  readonly cluster: ClusterUnderTest;
  readonly folder: string;
  readonly kind: FaultKind;
  readonly round: number;
  readonly seed: number;
  readonly clients: number;
  readonly damage: DamageLedger;
  readonly registers: History<RegisterOperation>;
  readonly lists: History<ListTransaction>;
}

export interface RoundResult {
  readonly place: Place;
  readonly acks: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  /** From the fault to the end of the first write begun after it, for each client that got one. */
  readonly failoverMs: readonly number[];
  readonly strongReads: number;
  readonly notes: readonly string[];
  readonly violations: readonly Violation[];
}

const settleMs = 1000;
const attemptTimeoutMs = 1000;

/** Load, a fault in the middle of it, its end, and a look at what is there afterwards. */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { cluster, kind } = options;
  const place = placeOf(options.round);
  for (const name of [place.acks, place.registers, place.lists]) {
    await createCollection(cluster, name);
  }
  const notes: string[] = [];
  const load = startLoad(options, place);
  const scene: Scene = {
    cluster,
    folder: options.folder,
    prng: new Prng(options.seed * 1000 + options.round),
    leader: (await cluster.leader()) ?? 0,
    victims: new Set(),
    damage: options.damage,
    note: (text) => void notes.push(text),
  };
  let struck: number;
  let logs: ProbeLog[];
  try {
    await sleep(settleMs);
    struck = now();
    await kind.strike(scene);
    await sleep(kind.holdMs);
    await kind.heal(scene);
    await cluster.untilHealthy();
    options.damage.look();
    await sleep(settleMs);
  } finally {
    logs = await load.stop();
  }
  const acks = new Set(logs.flatMap((log) => log.acks.map(({ key }) => key)));
  const refused = new Set(logs.flatMap((log) => log.refused));
  const result: RoundResult = {
    place,
    acks,
    refused,
    failoverMs: logs.flatMap((log) => failoverOf(log, struck)),
    strongReads: logs.reduce((sum, log) => sum + log.strongReads, 0),
    notes,
    violations: logs.flatMap((log) => log.violations),
  };
  const found = await verify(cluster, result);
  return { ...result, violations: [...result.violations, ...found] };
}

function failoverOf(log: ProbeLog, struck: number): number[] {
  const first = log.acks.find(({ attempted }) => attempted >= struck);
  return first === undefined ? [] : [first.returned - struck];
}

interface Load {
  /** Ends it and waits for the last answers. */
  stop(): Promise<ProbeLog[]>;
}

function startLoad(options: RoundOptions, place: Place): Load {
  const { cluster, clients } = options;
  let isOver = false;
  const prng = new Prng(options.seed * 1_000_000 + options.round);
  const worker = (name: string, n: number, pauseMs: number): WorkerOptions => ({
    name,
    place,
    http: new HttpClient({ endpoints: cluster.urls, first: n, timeoutMs: attemptTimeoutMs }),
    prng: prng.fork(),
    pauseMs,
    isOver: () => isOver,
  });
  const makeLog = (name: string): ProbeLog => ({
    name,
    acks: [],
    refused: [],
    violations: [],
    strongReads: 0,
  });
  const logs = Array.from({ length: clients }, (_, n) => makeLog(`p${n}`));
  const watchers = Array.from({ length: 2 }, (_, n) => makeLog(`w${n}`));
  const work = [
    ...logs.map((log, n) =>
      probe({ ...worker(log.name, n, 4), padBytes: options.kind.padBytes ?? 200 }, log),
    ),
    ...watchers.map((log, n) => watch(worker(log.name, n, 10), logs, log)),
    ...Array.from({ length: 6 }, (_, n) => {
      const isPersistent = n % 2 === 1;
      return useRegisters({ ...worker(`r${n}`, n, 15), isPersistent }, options.registers);
    }),
    ...Array.from({ length: 4 }, (_, n) => useLists(worker(`t${n}`, n, 20), options.lists)),
  ];
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(work);
      return [...logs, ...watchers];
    },
  };
}

/** Strong reads at every node: all that was acknowledged is there, nothing is that was refused. */
export async function verify(
  cluster: ClusterUnderTest,
  { place, acks, refused }: Pick<RoundResult, 'place' | 'acks' | 'refused'>,
): Promise<Violation[]> {
  const violations: Violation[] = [];
  const { round } = place;
  for (const url of cluster.urls) {
    const found = await keysAt(url, place.acks, strong);
    const lost = [...acks].filter((key) => !found.has(key));
    const unwanted = [...refused].filter((key) => found.has(key));
    const some = (keys: readonly string[]): string => keys.slice(0, 5).join(' ');
    if (lost.length > 0) {
      const text = `${lost.length} acknowledged writes of round ${round} lost, read at ${url}: ${some(lost)}`;
      violations.push({ type: 'lost-write', count: lost.length, text });
    }
    if (unwanted.length > 0) {
      const text = `${unwanted.length} writes of round ${round} happened that were refused: ${some(unwanted)}`;
      violations.push({ type: 'other', count: unwanted.length, text });
    }
  }
  return violations;
}

export async function keysAt(
  url: string,
  collection: string,
  headers: Readonly<Record<string, string>>,
  patienceMs = 60_000,
): Promise<Set<string>> {
  const http = new HttpClient({ endpoints: [url], first: 0, timeoutMs: 60_000 });
  try {
    const json = {
      query: `FOR d IN ${collection} FILTER d.value == d._key RETURN d._key`,
      options: { batchSize: 100_000 },
    };
    const { body } = await insist(http, () => http.send('POST', '/query/aql', { headers, json }), {
      patienceMs,
    });
    const { results, has_more: hasMore } = body as { results: string[]; has_more: boolean };
    if (hasMore) throw new Error('one page was not enough');
    return new Set(results);
  } finally {
    http.close();
  }
}

async function createCollection(cluster: ClusterUnderTest, name: string): Promise<void> {
  const http = new HttpClient({ endpoints: cluster.urls, first: 0, timeoutMs: 10_000 });
  await insist(http, () => http.send('POST', '/collections', { json: { name } }), {
    alsoGood: [409],
  });
  http.close();
}

/** Until it works, going round the nodes. */
async function insist(
  http: HttpClient,
  send: () => Promise<Answer>,
  {
    alsoGood = [],
    patienceMs = 60_000,
  }: { readonly alsoGood?: readonly number[]; readonly patienceMs?: number },
): Promise<Answer & { type: 'answer' }> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const answer = await send();
    if (answer.type === 'answer') {
      if (answer.status < 300 || alsoGood.includes(answer.status)) return answer;
    }
    if (performance.now() > end) {
      throw new Error(`no success within ${patienceMs} ms: ${JSON.stringify(answer)}`);
    }
    http.next();
    await sleep(50);
  }
}
