import type { CommandLog, LogEntry, Proposed, StateMachine } from '../contract/command-log.ts';
import { openMachine, type OpenMachineOptions } from '../open.ts';
import type { ShardStore } from '../store.ts';

/** A log in memory, for one replica, that commits as far as the test says. */
export class HeldLog implements CommandLog {
  readonly #machine: StateMachine;
  /** Proposed, and not yet committed. */
  held: LogEntry[] = [];
  /** While false everything is committed at once. */
  isHeld = false;
  term = 1;
  nextIndex: number;
  /** The last index that may go. */
  released = 0;
  failure: unknown;

  constructor(machine: StateMachine) {
    this.#machine = machine;
    this.nextIndex = machine.applied.index + 1;
  }

  propose(datas: readonly Uint8Array[]): Proposed {
    const { term } = this;
    for (const data of datas) this.held.push({ index: this.nextIndex++, term, data });
    if (!this.isHeld) {
      const entries = this.held.splice(0);
      void Promise.resolve().then(() => this.#machine.apply(entries));
    }
    return { type: 'taken', term, stored: Promise.resolve() };
  }

  reserve(): Promise<void> | undefined {
    return undefined;
  }

  failed(cause: unknown): void {
    this.failure = cause;
  }

  release(index: number): Promise<void> {
    this.released = index;
    return Promise.resolve();
  }
}

/** A store that leads, on a log that is held when told so. */
export async function openHeld(
  options: OpenMachineOptions,
): Promise<{ readonly store: ShardStore; readonly machine: StateMachine; readonly log: HeldLog }> {
  const { store, machine } = await openMachine(options);
  const log = new HeldLog(machine);
  machine.attach(log);
  await machine.lead(log.term);
  return { store: store as ShardStore, machine, log };
}
