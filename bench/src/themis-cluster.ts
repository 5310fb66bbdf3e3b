import { makeServerCluster } from '@themisdb/testing/server-cluster';
import type { ServerProcess } from '@themisdb/testing/server-process';

export interface ThemisCluster {
  readonly nodes: readonly ServerProcess[];
  leader(): Promise<ServerProcess>;
  createCollection(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startThemisCluster(folder: string, nodes: number): Promise<ThemisCluster> {
  const processes = await makeServerCluster({ folder, nodes });
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
  if (processes.length === 1) return processes[0]!;
  throw new Error('this server tells no leader yet');
}
