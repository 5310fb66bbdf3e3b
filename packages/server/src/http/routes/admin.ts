import { themisError } from '@themisdb/protocol';
import type { MemberChange } from '@themisdb/replication';
import { z } from 'zod';
import type { Cluster } from '../../cluster/cluster.ts';
import { allNodes, nodeStatus } from '../../cluster/topology.ts';
import { here, leader } from '../../cluster/whereabouts.ts';
import { json, type Answer } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { defineRoute, type Route } from '../route.ts';

const member = z.object({
  id: z.int(),
  is_voter: z.boolean(),
  match_index: z.int().optional(),
  state: z.enum(['probe', 'replicate', 'snapshot']).optional(),
  is_active: z.boolean().optional(),
});

const status = {
  version: z.string(),
  role: z.enum(['leader', 'follower', 'candidate', 'learner', 'failed']),
  term: z.int(),
  leader: z.int().nullable(),
  commit_index: z.int(),
  applied_index: z.int(),
  last_index: z.int(),
  first_index: z.int(),
  token: z.string(),
  members: z.array(member).meta({
    description: 'As this node knows them; how far each is, only the leader knows.',
  }),
  failure: z.string().optional(),
  lag_entries: z.int().meta({ description: 'Committed entries it has not applied yet.' }),
  lag_ms: z.number().meta({
    description: 'How much older the last commit it shows is than the newest one.',
  }),
};

const node = z
  .object({ id: z.int(), url: z.string().optional(), is_reachable: z.boolean() })
  .extend(z.object(status).partial().shape)
  .meta({ id: 'Node' });

const topology = z
  .object({
    cluster_id: z.string().optional(),
    node: z.int(),
    role: status.role,
    term: z.int(),
    leader: z.int().nullable(),
    leader_url: z.string().optional(),
    nodes: z.array(node),
  })
  .meta({ id: 'Topology' });

const change = z
  .strictObject({
    type: z.enum(['add', 'add-learner', 'remove', 'replace']),
    id: z.int().min(1),
    by: z.int().min(1).optional().meta({ description: 'Of `replace`: the node that comes.' }),
  })
  .meta({ id: 'MemberChange' });

const timeoutDefaultMs = 120_000;

export const adminRoutes: readonly Route[] = [
  defineRoute({
    tag: 'cluster',
    method: 'GET',
    path: '/api/admin/topology',
    permission: 'server:observe',
    runs: here,
    isAlwaysServed: true,
    summary: 'See the nodes of the cluster: who leads, and how far each is.',
    description:
      'The node that is asked tells of itself at the top, and asks the others, 300 ms at most.',
    answers: { 200: { description: 'The nodes this one knows.', schema: topology } },
    errors: [],
    handle: tellTopology,
  }),
  defineRoute({
    tag: 'cluster',
    method: 'POST',
    path: '/api/admin/members',
    permission: 'server:manage',
    runs: leader,
    summary: 'Add, replace or remove a member of the cluster.',
    description:
      'One change at a time; answers when it is in force. `add` and `replace` wait until the new node has caught up. A number that was removed is never used again. The new node must run, with `cluster.join`, and stand in `cluster.peers` of all others.',
    body: { schema: change },
    answers: { 200: { description: 'In force.', schema: z.object({ members: z.array(member) }) } },
    errors: ['MEMBER_CHANGE_REFUSED', 'NOT_LEADER', 'NO_LEADER'],
    handle: (exchange, { body }) => changeMembers(exchange, body as MemberChange),
  }),
  defineRoute({
    tag: 'cluster',
    method: 'POST',
    path: '/api/admin/transfer',
    permission: 'server:manage',
    runs: leader,
    summary: 'Hand leadership over.',
    body: {
      schema: z
        .strictObject({
          to: z.int().min(1).optional().meta({ description: 'Default: who is furthest.' }),
        })
        .meta({ id: 'Transfer' }),
      isOptional: true,
    },
    answers: {
      200: {
        description: 'Another node leads, or the one named did already.',
        schema: z.object({ leader: z.int(), leader_url: z.string().optional() }),
      },
    },
    errors: ['MEMBER_CHANGE_REFUSED', 'NOT_LEADER', 'NO_LEADER'],
    handle: (exchange, { body }) => transfer(exchange, body.to),
  }),
];

async function tellTopology(exchange: Exchange): Promise<Answer> {
  const { cluster, database, config } = exchange.services;
  const own = nodeStatus(database.replica, database.store);
  const { role, term, leader: leads } = own;
  const facts = { node: own.id, role, term, leader: leads };
  if (cluster === undefined) {
    const url = `http://${exchange.header('host')}`;
    const alone = { url, is_reachable: true, ...own, lag_entries: 0, lag_ms: 0 };
    return json(200, { ...facts, leader_url: url, nodes: [alone] });
  }
  const leader_url = leads === null ? undefined : cluster.urlOf(leads);
  const nodes = await allNodes(cluster, own);
  return json(200, { cluster_id: config.cluster.id, ...facts, leader_url, nodes });
}

async function changeMembers(exchange: Exchange, change: MemberChange): Promise<Answer> {
  const cluster = mustCluster(exchange);
  checkChange(cluster, change);
  const timeoutMs = Math.min(timeoutDefaultMs, exchange.remainingMs());
  await cluster.replica.changeMembers(change, { timeoutMs });
  const { members } = nodeStatus(cluster.replica, exchange.services.database.store);
  return json(200, { members });
}

function checkChange(cluster: Cluster, change: MemberChange): void {
  const by = (change as { by?: number }).by;
  if ((change.type === 'replace') !== (by !== undefined)) {
    throw themisError('INVALID_FIELD', {
      message: 'body field by: replace needs it, and the other changes take none',
      details: { path: ['by'] },
    });
  }
  if (change.type === 'remove') return;
  const comes = by ?? change.id;
  if (comes === cluster.nodeId || cluster.peerOf(comes)?.state === 'up') return;
  throw themisError('MEMBER_CHANGE_REFUSED', {
    message:
      cluster.peerOf(comes) === undefined
        ? `node ${comes} is not among cluster.peers of node ${cluster.nodeId}, which leads: add it there, on every node, and restart them one by one`
        : `node ${comes} cannot be reached from node ${cluster.nodeId}, which leads: start it first, with cluster.join`,
  });
}

async function transfer(exchange: Exchange, to: number | undefined): Promise<Answer> {
  const cluster = mustCluster(exchange);
  const { replica } = cluster;
  await replica.transferLeadership(to);
  const waitMs = Math.min(cluster.leaderWaitMs, exchange.remainingMs());
  const leads = await cluster.awaitLeader(waitMs, () => exchange.signal);
  return json(200, {
    leader: leads ?? null,
    leader_url: leads === undefined ? undefined : cluster.urlOf(leads),
  });
}

function mustCluster({ services }: Exchange): Cluster {
  if (services.cluster !== undefined) return services.cluster;
  throw themisError('MEMBER_CHANGE_REFUSED', {
    message: 'this node is alone: it has no cluster.node in its configuration',
  });
}
