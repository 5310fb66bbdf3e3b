import type { BatchGetAnswer } from '@themisdb/protocol';
import { errorFromBody } from './errors.ts';
import type { Session } from './session.ts';

interface Waiting {
  readonly resolve: (entity: Record<string, unknown> | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const batchMax = 256;

/**
 * Point reads asked for in one turn of the event loop travel as one `/batch/get`; equal ones are
 * asked once. A read alone pays nothing but the turn. Each read still gets its own answer or error.
 */
export class ReadCoalescer {
  readonly #session: Session;
  #waiting = new Map<string, Waiting[]>();
  #isScheduled = false;

  constructor(session: Session) {
    this.#session = session;
  }

  read(reference: string): Promise<Record<string, unknown> | undefined> {
    return new Promise((resolve, reject) => {
      const entry = { resolve, reject };
      const others = this.#waiting.get(reference);
      if (others === undefined) this.#waiting.set(reference, [entry]);
      else others.push(entry);
      if (this.#waiting.size >= batchMax) this.#flush();
      else this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After the promise jobs of this turn, so that all who were woken together ask together.
    setTimeout(() => this.#flush(), 0);
  }

  #flush(): void {
    this.#isScheduled = false;
    if (this.#waiting.size === 0) return;
    const batch = this.#waiting;
    this.#waiting = new Map();
    void this.#send(batch);
  }

  async #send(batch: Map<string, Waiting[]>): Promise<void> {
    try {
      const answer = await this.#session.call({
        method: 'POST',
        path: '/batch/get',
        json: { items: [...batch.keys()] },
        isRepeatable: true,
      });
      this.#settle(batch, answer.body as BatchGetAnswer);
    } catch (error) {
      for (const waiting of batch.values()) for (const { reject } of waiting) reject(error);
    }
  }

  #settle(batch: Map<string, Waiting[]>, answer: BatchGetAnswer): void {
    let i = 0;
    for (const waiting of batch.values()) {
      const result = answer.results[i++]!;
      for (const { resolve, reject } of waiting) {
        if ('entity' in result) resolve(result.entity as Record<string, unknown>);
        else if (result.error.code === 'ENTITY_NOT_FOUND') resolve(undefined);
        else reject(errorFromBody(result.error));
      }
    }
  }
}
