import type { Replica } from '@themisdb/replication';
import type { World } from '../world/world.ts';

const longestMs = 300;

/** Strong reads whose clients give up soon, wherever there is a leader and where there is none. */
export async function giveUpReads(world: World): Promise<void> {
  const perSecond = world.settings.abandoned;
  if (perSecond === 0) return;
  const prng = world.prng('abandoned reads');
  while (!world.isCalm) {
    await world.sleep((-Math.log(1 - prng.float()) * 1000) / perSecond);
    for (const node of world.running()) {
      const ms = longestMs * prng.float();
      const read = prng.chance(0.5)
        ? (replica: Replica) => replica.awaitReadable({ type: 'strong' }, { timeoutMs: ms })
        : (replica: Replica) => {
            const stop = new AbortController();
            node.env.timers.after(ms, () => stop.abort());
            const options = { timeoutMs: 10_000, signal: stop.signal };
            return replica.awaitReadable({ type: 'strong' }, options);
          };
      void node.ask(read).catch(() => undefined);
    }
  }
}
