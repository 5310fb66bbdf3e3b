/** A cluster whose leader is killed while clients write to it. Nodes count from 0. */
export interface FailoverSystem {
  readonly nodes: number;
  /** One attempt at one node; false when it failed or did not answer within the time. */
  put(node: number, key: string, signal: AbortSignal): Promise<boolean>;
  leader(): Promise<number>;
  kill(node: number): Promise<void>;
  restart(node: number): Promise<void>;
  /** All keys that are there. */
  keys(): Promise<ReadonlySet<string>>;
}

export interface FailoverOptions {
  readonly rounds: number;
  readonly clients: number;
  readonly attemptTimeoutMs: number;
  /** Before the kill, between it and the restart, and after. */
  readonly restMs: number;
}

export interface FailoverResult {
  /** From the kill to the end of the first write begun after it: each client, each round. */
  readonly failoverMs: readonly number[];
  /** The quickest client of each round. */
  readonly firstMs: readonly number[];
  readonly acknowledged: number;
  readonly lost: number;
}

interface Success {
  readonly attempted: number;
  readonly returned: number;
}

const retryMs = 10;

/**
 * Clients insert fresh keys one after the other; one that fails goes on to the next node after a short
 * rest, as client libraries do. Each begins at another node.
 */
export async function measureFailover(
  system: FailoverSystem,
  options: FailoverOptions,
): Promise<FailoverResult> {
  const acknowledged: string[] = [];
  const failoverMs: number[] = [];
  const firstMs: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const times = await runRound(system, options, round, acknowledged);
    failoverMs.push(...times);
    firstMs.push(Math.min(...times));
  }
  const found = await system.keys();
  const lost = acknowledged.filter((key) => !found.has(key)).length;
  return { failoverMs, firstMs, acknowledged: acknowledged.length, lost };
}

async function runRound(
  system: FailoverSystem,
  options: FailoverOptions,
  round: number,
  acknowledged: string[],
): Promise<number[]> {
  let isOver = false;
  const successes: Success[][] = Array.from({ length: options.clients }, () => []);
  const work = successes.map(async (mine, client) => {
    let node = client % system.nodes;
    for (let n = 0; !isOver; n++) {
      const key = `${round}-${client}-${n}`;
      for (;;) {
        const attempted = performance.now();
        const signal = AbortSignal.timeout(options.attemptTimeoutMs);
        if (await system.put(node, key, signal)) {
          mine.push({ attempted, returned: performance.now() });
          acknowledged.push(key);
          break;
        }
        if (isOver) return;
        node = (node + 1) % system.nodes;
        await sleep(retryMs);
      }
    }
  });
  await sleep(options.restMs);
  const leader = await system.leader();
  const killed = performance.now();
  await system.kill(leader);
  await sleep(options.restMs);
  await untilAll(successes, killed);
  await system.restart(leader);
  await sleep(options.restMs);
  isOver = true;
  await Promise.all(work);
  return successes.map((mine) => firstAfter(mine, killed)!.returned - killed);
}

function firstAfter(successes: readonly Success[], moment: number): Success | undefined {
  return successes.find(({ attempted }) => attempted >= moment);
}

/** Until each client wrote again: without the killed node. */
async function untilAll(successes: readonly Success[][], moment: number): Promise<void> {
  const end = performance.now() + 60_000;
  while (successes.some((mine) => firstAfter(mine, moment) === undefined)) {
    if (performance.now() > end) throw new Error('no write succeeded within 60 s of the kill');
    await sleep(5);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
