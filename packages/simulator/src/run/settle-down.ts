import { verify } from '@themisdb/storage';
import { Session } from '../work/session.ts';
import type { Repairs } from '../world/repairs.ts';
import type { World } from '../world/world.ts';

const leaderMs = 30_000;
const catchUpMs = 60_000;
const sessionsMs = 60_000;
const requestsMs = 10_000;

/**
 * The end of a run: everything is healed, and then there must be a leader soon, a write must succeed,
 * every replica must catch up, hold the same state as the others and be sound in itself.
 */
export async function settleDown(
  world: World,
  repairs: Repairs,
  sessions: Promise<unknown>,
): Promise<void> {
  const { violations } = world;
  heal(world);
  await within(world, sessions, sessionsMs, 'sessions come to an end');
  // A log may turn out to be damaged only now.
  await world.sleep(2000);
  await within(world, repairs.done(), 120_000, 'repairs come to an end');
  heal(world);
  const session = new Session(world, 'end');
  const hasWritten = await untilWritten(world, session);
  violations.check(hasWritten, 'a healed group takes writes', () => `not within ${leaderMs} ms`);
  const hasCaughtUp = await world.until(() => allEqual(world), catchUpMs);
  violations.check(hasCaughtUp, 'all replicas catch up', () => positions(world));
  if (!hasWritten || !hasCaughtUp) return;
  const isAnswered = await world.until(() => world.requests.underWay().length === 0, requestsMs);
  violations.check(isAnswered, 'requests end', () => world.requests.underWay().join('; '));
  await world.compareStates();
  for (const { id, replica } of world.running()) {
    const { faults } = await verify(replica!.store);
    violations.check(
      faults.length === 0,
      'sound stores',
      () => `node ${id}: ${JSON.stringify(faults)}`,
    );
  }
}

function heal(world: World): void {
  world.wires.calm();
  for (const node of world.nodes.values()) {
    const { disk, scheduler } = node.env;
    disk.setCapacity(Infinity);
    disk.slowDown(1);
    scheduler.resume();
    node.engine.resume();
    if (!node.isGone && !node.isDamaged) node.start();
  }
}

async function within(
  world: World,
  work: Promise<unknown>,
  ms: number,
  invariant: string,
): Promise<void> {
  let isDone = false;
  const late = world.sleep(ms).then(() => {
    if (!isDone) world.violations.report(invariant, `not within ${ms} ms`);
  });
  await Promise.race([work, late]);
  isDone = true;
}

async function untilWritten(world: World, session: Session): Promise<boolean> {
  const endMs = world.nowMs + leaderMs;
  // Each attempt under a key of its own: one whose outcome was unknown may have been done.
  for (let attempt = 1; world.nowMs < endMs; attempt++) {
    const answer = await session.write(async ({ store }) => {
      const t = store.begin();
      t.rememberAnswer(`the last write ${attempt}`, { fingerprint: 'x', body: null });
      await t.commit();
    });
    if (answer.type === 'ok') return true;
    await world.sleep(100);
  }
  return false;
}

/** All members, as the leader knows them, run and have applied what it has. */
function allEqual(world: World): boolean {
  const leader = world.leader();
  if (leader === undefined) return false;
  const { members, appliedIndex } = leader.replica.status();
  return members.every(({ id }) => {
    const replica = world.nodes.get(id)?.replica;
    return replica !== undefined && replica.status().appliedIndex === appliedIndex;
  });
}

function positions(world: World): string {
  return [...world.nodes.values()]
    .map(({ id, replica, isRunning, isGone }) => {
      const status = replica?.status();
      const how = isGone ? 'gone' : isRunning ? 'running' : 'down';
      return `node ${id} ${how} ${status?.role ?? ''} term ${status?.term} applied ${status?.appliedIndex} of ${status?.lastIndex}`;
    })
    .join('; ');
}
