import type { Prng } from '@themisdb/base';
import type { SimNode } from './node.ts';
import type { Cut } from './wires.ts';
import type { Repairs } from './repairs.ts';
import type { World } from './world.ts';

/** Longer than an election takes, a lost vote included. */
const electionsMs = 6000;
const handBackMs = 3000;

/**
 * The leader is cut off with what it has proposed, another one is elected, and leadership is handed
 * back as soon as the cut is healed: whatever the first one kept of what was lost, it decides by it now.
 */
export async function depose(world: World, prng: Prng): Promise<void> {
  const old = world.leader()?.node;
  if (old === undefined) return;
  const ids = [...world.nodes.keys()];
  const others = ids.filter((id) => id !== old.id);
  const { life } = old;
  const cut = cutBetween(world, [old.id], others);
  const isDeposed = await world.until(() => isAnother(world, old), electionsMs);
  // Now and then others get something done meanwhile.
  if (prng.chance(0.3)) await world.sleep(1000 * prng.float());
  cut.heal();
  const endMs = world.nowMs + handBackMs;
  while (isDeposed && !world.isCalm && old.life === life && world.nowMs < endMs) {
    const leader = world.leader()?.node;
    if (leader === old) return world.marks.hit('a deposed leader leads again');
    // It ends by itself, or nobody hears of it: who is asked may die.
    if (leader !== undefined)
      void leader.ask((replica) => replica.transferLeadership(old.id)).catch(() => undefined);
    await world.until(() => world.leader()?.node === old, 300);
  }
}

/**
 * The engine of the leader stands still, and what is committed waits to be applied; another one is
 * elected meanwhile, goes on, and may have to give the first one a state.
 */
export async function stall(world: World, prng: Prng): Promise<void> {
  const old = world.leader()?.node;
  if (old === undefined) return;
  const { engine } = old;
  engine.stall();
  await world.sleep(500 * prng.float());
  const cut = cutBetween(world, [old.id], without(world, [old.id]));
  await world.until(() => isAnother(world, old), electionsMs);
  await world.sleep(1000 * prng.float());
  cut.heal();
  await world.sleep(2000 * prng.float());
  engine.resume();
  world.marks.hit('the engine of a leader stood still');
}

/**
 * A replica loses its disk right after a majority that needed it has committed, and comes back empty
 * among those who lack these entries, while the others who hold them are cut off: believed, it would
 * make up a majority that knows nothing of them.
 */
export async function wipeHolder(world: World, repairs: Repairs, prng: Prng): Promise<void> {
  const { minority: lacking, node } = drawFollowers(world, prng);
  if (node === undefined || !repairs.mayDamage(node)) return;
  const behind = cutBetween(world, lacking, without(world, lacking));
  await world.sleep(2000 * prng.float());
  if (world.isCalm || !repairs.mayDamage(node)) return behind.heal();
  node.isDamaged = true;
  node.wipe();
  const side = [...lacking, node.id];
  const rest = cutBetween(world, side, without(world, side));
  behind.heal();
  repairs.damaged(node, 'comes back');
  world.marks.hit('a disk was lost among those who lack what it held');
  await world.sleep(electionsMs * (0.5 + 0.5 * prng.float()));
  rest.heal();
}

/**
 * A voter whose answer may have lent the leader a lease starts anew at once, in reach of those who have
 * not heard the leader for about as long as they wait before they campaign.
 */
export async function killVoter(world: World, prng: Prng): Promise<void> {
  const { minority: waiting, node } = drawFollowers(world, prng);
  if (waiting.length === 0) return;
  const cut = cutBetween(world, waiting, without(world, waiting));
  await world.sleep(600 + 800 * prng.float());
  cut.heal();
  if (world.isCalm || node?.isRunning !== true) return;
  const side = [...waiting, node.id];
  const rest = cutBetween(world, side, without(world, side));
  node.kill();
  node.start();
  world.marks.hit('a voter started anew at once');
  await world.sleep(2000 * prng.float());
  rest.heal();
}

/** As many voters that do not lead as a majority can do without, and one more; none without a leader. */
function drawFollowers(
  world: World,
  prng: Prng,
): { readonly minority: readonly number[]; readonly node: SimNode | undefined } {
  const leader = world.leader();
  if (leader === undefined) return { minority: [], node: undefined };
  const voters = leader.replica.status().members.filter(({ isVoter }) => isVoter);
  const others = prng.shuffle(voters.map(({ id }) => id).filter((id) => id !== leader.node.id));
  const minority = others.splice(0, Math.ceil(voters.length / 2) - 1);
  return { minority, node: world.nodes.get(others[0] ?? 0) };
}

function isAnother(world: World, old: SimNode): boolean {
  const leader = world.leader()?.node;
  return leader !== undefined && leader !== old;
}

function without(world: World, ids: readonly number[]): number[] {
  return [...world.nodes.keys()].filter((id) => !ids.includes(id));
}

function cutBetween({ wires }: World, some: readonly number[], others: readonly number[]): Cut {
  const cuts = [wires.cut(some, others), wires.cut(others, some)];
  return {
    heal: () => {
      for (const cut of cuts) cut.heal();
    },
  };
}
