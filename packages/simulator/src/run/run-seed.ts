import { invariants, probes } from '@themisdb/base';
import { Workloads } from '../work/workloads.ts';
import { Faults } from '../world/faults.ts';
import { Repairs } from '../world/repairs.ts';
import { Violation } from '../world/violation.ts';
import { World } from '../world/world.ts';
import { stackOf } from '../world/node.ts';
import { prepare } from './prepare.ts';
import { settleDown } from './settle-down.ts';
import type { Settings } from './settings.ts';

export interface RunResult {
  readonly settings: Settings;
  readonly traceHash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly operations: number;
  readonly commands: number;
  readonly marks: readonly string[];
  readonly failure:
    | { readonly invariant: string; readonly text: string; readonly tail: readonly string[] }
    | undefined;
}

/** One life of a whole group, from nothing to the last check. Equal settings give equal results. */
export async function runSeed(settings: Settings): Promise<RunResult> {
  const before = { invariants: invariants.enabled, listener: probes.listener };
  invariants.enabled = true;
  const world = new World(settings);
  const workloads = new Workloads(world);
  const onUnhandled = (error: unknown): void =>
    world.violations.report('no promise is lost', stackOf(error));
  process.on('unhandledRejection', onUnhandled);
  let failure: Violation | undefined;
  try {
    await world.scheduler.run(
      () => Promise.race([live(world, workloads), world.violations.found]),
      {
        virtualMsMax: 3_600_000,
        eventsMax: 20_000_000,
      },
    );
    failure = world.violations.first;
  } catch (error) {
    failure =
      error instanceof Violation ? error : new Violation('runs come to an end', stackOf(error));
  } finally {
    process.off('unhandledRejection', onUnhandled);
    invariants.enabled = before.invariants;
    probes.listener = before.listener;
  }
  return {
    settings,
    traceHash: world.trace.hash(),
    virtualMs: world.nowMs,
    events: world.scheduler.events,
    operations: workloads.size,
    commands: world.watch.lastCommitted,
    marks: world.marks.names(),
    failure: failure && {
      invariant: failure.invariant,
      text: failure.message,
      tail: world.trace.tail(),
    },
  };
}

async function live(world: World, workloads: Workloads): Promise<void> {
  world.start();
  await prepare(world, workloads.collections);
  const repairs = new Repairs(world);
  new Faults(world, repairs).start();
  const sessions = workloads.run();
  await world.sleep(world.settings.seconds * 1000);
  world.isCalm = true;
  await settleDown(world, repairs, sessions);
  if (world.violations.first === undefined) await workloads.check();
}
