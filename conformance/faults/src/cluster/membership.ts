import { HttpClient, type Answer } from '../clients/http-client.ts';
import { sleep } from '../clients/worker.ts';

/** A node that does not come back, and the one that comes instead, by their numbers. */
export interface Replacement {
  readonly id: number;
  readonly by: number;
}

interface Member {
  readonly id: number;
  readonly is_voter: boolean;
}

const changeTimeoutMs = 60_000;
const pauseMs = 100;

/**
 * Tells the cluster, as an operator would: again as long as it is refused, since the new node may not be
 * connected yet. Where it stays open whether it was done, the topology tells.
 */
export async function replaceMember(urls: readonly string[], change: Replacement): Promise<void> {
  const http = new HttpClient({ endpoints: urls, first: 0, timeoutMs: changeTimeoutMs });
  const end = performance.now() + changeTimeoutMs;
  const json = { type: 'replace', ...change };
  try {
    for (;;) {
      const answer = await http.send('POST', '/api/admin/members', { json });
      if (isReplaced(membersIn(answer) ?? (await membersOf(http)), change)) return;
      if (performance.now() > end) throw new Error(textOf(change, answer));
      http.next();
      await sleep(pauseMs);
    }
  } finally {
    http.close();
  }
}

function isReplaced(members: readonly Member[], { id, by }: Replacement): boolean {
  const comes = members.find((member) => member.id === by);
  return comes?.is_voter === true && members.every((member) => member.id !== id);
}

function membersIn(answer: Answer): readonly Member[] | undefined {
  if (answer.type !== 'answer' || answer.status !== 200) return undefined;
  return (answer.body as { members: Member[] }).members;
}

/** As the leader knows them; none when nobody does. */
async function membersOf(http: HttpClient): Promise<readonly Member[]> {
  const answer = await http.send('GET', '/api/admin/topology');
  if (answer.type !== 'answer' || answer.status !== 200) return [];
  const { leader, nodes } = answer.body as {
    leader: number | null;
    nodes: { id: number; members?: Member[] }[];
  };
  return nodes.find(({ id }) => id === leader)?.members ?? [];
}

function textOf({ id, by }: Replacement, answer: Answer): string {
  return `node ${by} did not take the place of node ${id}: ${JSON.stringify(answer)}`;
}
