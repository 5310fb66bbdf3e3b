import type { World } from '../world/world.ts';
import { Session } from './session.ts';

const chunkBytesMax = 4096;
/** Where so much is kept, no state is overtaken in the time of a run. */
const cacheKbMax = 32;

/**
 * While a state travels, more is written than a leader keeps for peers that are behind, and less than it
 * keeps for one that is being given a state: who joins must catch up nevertheless.
 */
export class Flood {
  readonly #world: World;
  readonly #session: Session;
  #isRunning = false;
  #n = 0;

  constructor(world: World) {
    this.#world = world;
    this.#session = new Session(world, 'flood');
  }

  /** It goes on when all else is calm. */
  start(): void {
    this.#world.wires.onStream = (isAlone) => {
      if (isAlone && !this.#isRunning) void this.#run();
    };
  }

  async #run(): Promise<void> {
    const { settings, marks } = this.#world;
    const { logCacheKb, flood } = settings;
    if (logCacheKb > cacheKbMax) return;
    this.#isRunning = true;
    const bytes = flood * logCacheKb * 1024;
    const each = Math.round(Math.min(chunkBytesMax, Math.max(256, bytes / 8)));
    const body = 'x'.repeat(each);
    let failures = 0;
    for (let written = 0; written < bytes && failures < 3;) {
      const fingerprint = `flood ${++this.#n}`;
      const answer = await this.#session.write(async ({ store }) => {
        const t = store.begin();
        t.rememberAnswer(fingerprint, { fingerprint, body });
        await t.commit();
      });
      if (answer.type === 'ok') written += each;
      else failures++;
    }
    marks.hit('written while a state travelled');
    this.#isRunning = false;
  }
}
