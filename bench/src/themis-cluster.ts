import { findLeader, makeServerCluster } from '@themisdb/testing/server-cluster';
import type { ServerProcess } from '@themisdb/testing/server-process';

export interface ThemisCluster {
  readonly nodes: readonly ServerProcess[];
  leader(): Promise<ServerProcess>;
  createCollection(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startThemisCluster(
  folder: string,
  nodes: number,
  nodeFlagsOf: (node: number) => readonly string[] = () => [],
): Promise<ThemisCluster> {
  const processes = await makeServerCluster({ folder, nodes, nodeFlagsOf });
  for (const process of processes) process.start();
  await Promise.all(processes.map((process) => process.untilReady()));
  return {
    nodes: processes,
    leader: () => leaderOf(processes),
    createCollection: async (name) => {
      const { url } = await leaderOf(processes);
      const answer = await fetch(`${url}/collections`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      });
      if (!answer.ok) throw new Error(`no collection ${name}: ${await answer.text()}`);
    },
    stop: async () => {
      await Promise.all(processes.map((process) => process.stop()));
    },
  };
}

async function leaderOf(processes: readonly ServerProcess[]): Promise<ServerProcess> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const leader = await findLeader(processes);
    if (leader !== undefined) return processes[leader]!;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('no node of ThemisDB led within 30 s');
}
