import { InvariantError, type ThemisError } from '@themisdb/base';
import { FrameFault, protocolError, type GoodbyeReason } from '../wire/faults.ts';
import type { FrameLink, FrameSink } from './link.ts';

type Delivery = (sink: FrameSink) => void;

/** Frames handed over within one thread, as they are, in a later microtask. */
export class LocalLink implements FrameLink {
  readonly bufferedBytes = 0;
  #other: LocalLink | undefined;
  #sink: FrameSink | undefined;
  #inbox: Delivery[] = [];
  #isScheduled = false;
  #isClosed = false;

  static pair(): [LocalLink, LocalLink] {
    const [a, b] = [new LocalLink(), new LocalLink()];
    a.#other = b;
    b.#other = a;
    return [a, b];
  }

  attach(sink: FrameSink): void {
    this.#sink = sink;
  }

  send(
    type: number,
    flags: number,
    callId: number,
    operation: number,
    value: number,
    body: Uint8Array,
  ): void {
    if (this.#isClosed) return;
    this.#other!.#deliver((sink) => sink.frame(type, flags, callId, operation, value, body));
  }

  close(reason: GoodbyeReason, text: string): void {
    if (this.#isClosed) return;
    const isOrderly = reason === 'closing';
    this.#end(isOrderly ? undefined : protocolError(reason, text, 'us'));
    this.#other!.#end(isOrderly ? undefined : protocolError(reason, text, 'peer'));
  }

  #end(error: ThemisError | undefined): void {
    this.#isClosed = true;
    this.#deliver((sink) => sink.closed(error));
  }

  #deliver(delivery: Delivery): void {
    this.#inbox.push(delivery);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(this.#run);
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const delivery of inbox) {
      try {
        delivery(this.#sink!);
      } catch (error) {
        if (!(error instanceof FrameFault)) throw error;
        // Both ends are this build: a frame that does not fit is a defect of it.
        throw new InvariantError(error.message);
      }
    }
  };
}
