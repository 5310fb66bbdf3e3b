import type { Process } from './history.ts';
import { pairEvents, type History, type HistoryEvent } from './history-events.ts';
import type { Step } from './list-append/transaction.ts';
import type { RegisterInput, RegisterOutput } from './register.ts';

/**
 * Records what the clients of a simulation see. Their events are ordered as they are recorded, which
 * in one thread is exact and tells more than virtual time, where much happens at the same moment.
 */
export class HistoryRecorder {
  readonly #events: HistoryEvent[] = [];

  /** A process that invokes again must have ended what it invoked before. */
  invokeOperation(process: Process, key: string, input: RegisterInput): void {
    this.#events.push({ type: 'invoke', process, key, input });
  }

  /** The appends must be complete, unless `unknown` brings them. */
  invokeTransaction(process: Process, steps: readonly Step[]): void {
    this.#events.push({ type: 'invoke', process, steps });
  }

  operationOk(process: Process, output: RegisterOutput): void {
    this.#events.push({ type: 'ok', process, output });
  }

  /** All steps, with what the reads saw. */
  transactionOk(process: Process, steps: readonly Step[]): void {
    this.#events.push({ type: 'ok', process, steps });
  }

  /** It certainly had no effect. */
  failed(process: Process): void {
    this.#events.push({ type: 'failed', process });
  }

  /** It may have had an effect, or have one later. `steps`: what is known of a transaction. */
  unknown(process: Process, steps?: readonly Step[]): void {
    this.#events.push({ type: 'unknown', process, steps });
  }

  events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /** What has not ended yet has an unknown outcome. */
  history(): History {
    return pairEvents(this.#events);
  }
}
