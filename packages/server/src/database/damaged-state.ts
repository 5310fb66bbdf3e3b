import { hasCode, type Disk, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';

/** Beside `state/`: what is in there is not to be trusted, and a peer has a good copy. */
const mark = 'state.damaged';

/** To be called before the process ends for a damaged engine; the next start fetches the state anew. */
export async function markDamaged(disk: Disk): Promise<void> {
  const file = await disk.open(mark, { create: true });
  await file.datasync();
  await file.close();
  await disk.syncDirectory('');
}

export interface Opened<Engine, Parts> {
  readonly engine: Engine;
  readonly parts: Parts;
}

/**
 * Opens engine and what stands on it. Where the engine is damaged, or was found so before, it is thrown
 * away and both are opened again, `rebuild` telling that the state has to come from a peer. The log stays:
 * without it the node's promises would be lost, and it would have to come back as a new one.
 */
export async function openOrRebuild<Engine extends { close(): Promise<void> }, Parts>(
  env: Pick<Env, 'disk' | 'log'>,
  openEngine: () => Promise<Engine>,
  openOn: (engine: Engine, rebuild: boolean) => Promise<Parts>,
): Promise<Opened<Engine, Parts>> {
  const { disk, log } = env;
  if (!(await disk.exists(mark))) {
    try {
      return await openBoth(openEngine, (engine) => openOn(engine, false));
    } catch (error) {
      if (!hasCode(error, 'DATA_CORRUPT')) throw error;
      log.write('error', 'the engine is damaged; its state is fetched from a peer', {
        reason: error.message,
      });
      await markDamaged(disk);
    }
  }
  await disk.remove('state');
  const opened = await openBoth(openEngine, (engine) => openOn(engine, true));
  await disk.remove(mark);
  await disk.syncDirectory('');
  log.write('info', 'the state was fetched from a peer', {});
  return opened;
}

/** Where there is no peer: an engine that is damaged stays as it is, and is told. DATA_CORRUPT. */
export async function openWhole<Engine extends { close(): Promise<void> }, Parts>(
  { disk }: Pick<Env, 'disk'>,
  openEngine: () => Promise<Engine>,
  openOn: (engine: Engine, rebuild: boolean) => Promise<Parts>,
): Promise<Opened<Engine, Parts>> {
  if (await disk.exists(mark)) {
    throw themisError('DATA_CORRUPT', {
      message: `the data was found damaged before (${mark} stands beside it), and there is no other node in cluster.peers to fetch it from`,
    });
  }
  return openBoth(openEngine, (engine) => openOn(engine, false));
}

/** Where nothing is kept, and so nothing can be damaged. */
export function openNew<Engine extends { close(): Promise<void> }, Parts>(
  _env: unknown,
  openEngine: () => Promise<Engine>,
  openOn: (engine: Engine, rebuild: boolean) => Promise<Parts>,
): Promise<Opened<Engine, Parts>> {
  return openBoth(openEngine, (engine) => openOn(engine, false));
}

async function openBoth<Engine extends { close(): Promise<void> }, Parts>(
  openEngine: () => Promise<Engine>,
  openOn: (engine: Engine) => Promise<Parts>,
): Promise<Opened<Engine, Parts>> {
  const engine = await openEngine();
  try {
    return { engine, parts: await openOn(engine) };
  } catch (error) {
    await engine.close();
    throw error;
  }
}
