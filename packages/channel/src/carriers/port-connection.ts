import {
  assert,
  type ConnectionHandlers,
  type NetworkConnection,
  type ThemisError,
} from '@themisdb/base';
import { themisError } from '@themisdb/protocol';

/** What a `MessagePort` of worker threads or of a browser must offer. */
export interface ChannelPort {
  /** The buffers in `transfer` change hands. */
  post(message: PortMessage, transfer: readonly ArrayBuffer[]): void;
  /** Called first: `listener` runs once, when either side has closed. */
  onClose(listener: () => void): void;
  /** Messages that came before this call are kept until it. */
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
}

/** Bytes; how many bytes were read; or that nothing follows. */
export type PortMessage = Uint8Array<ArrayBuffer> | number | 'end';

// Bytes posted and not reported read: above the second the writer should wait; the first are as good as gone.
const slackBytes = 65_536;
const highWaterMark = 262_144;
// Reading is reported in steps of this, below the slack.
const reportBytes = 32_768;

/**
 * A message port as a byte stream. Each write is one message, of a copy that is handed to the other thread:
 * what is written may be a part of a larger buffer, of which the rest must stay.
 */
export function portConnection(port: ChannelPort, name: string): NetworkConnection {
  return new PortConnection(port, name);
}

class PortConnection implements NetworkConnection {
  readonly remoteAddress: string;
  readonly #port: ChannelPort;
  #handlers: ConnectionHandlers | undefined;
  #unread = 0;
  #isSaturated = false;
  #toReport = 0;
  #isPaused = false;
  #inbox: unknown[] = [];
  #hasEnded = false;
  #isClosed = false;
  #closeError: ThemisError | undefined;

  constructor(port: ChannelPort, name: string) {
    this.#port = port;
    this.remoteAddress = name;
    port.onClose(() => this.#close(!this.#hasEnded));
  }

  get bufferedBytes(): number {
    return Math.max(this.#unread - slackBytes, 0);
  }

  start(handlers: ConnectionHandlers): void {
    assert(this.#handlers === undefined, 'a connection is started once');
    this.#handlers = handlers;
    if (this.#isClosed) return queueMicrotask(() => handlers.close(this.#closeError));
    this.#port.onMessage((message) => this.#receive(message));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#hasEnded || this.#isClosed) return false;
    const copy = new Uint8Array(bytes);
    this.#unread += copy.length;
    this.#port.post(copy, [copy.buffer]);
    this.#isSaturated = this.bufferedBytes >= highWaterMark;
    return !this.#isSaturated;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    queueMicrotask(() => {
      while (this.#inbox.length > 0 && !this.#isPaused) this.#read(this.#inbox.shift());
    });
  }

  end(): void {
    if (this.#hasEnded || this.#isClosed) return;
    this.#hasEnded = true;
    this.#port.post('end', []);
  }

  destroy(): void {
    this.#hasEnded = true;
    this.#port.close();
    queueMicrotask(() => this.#close(false));
  }

  #receive(message: unknown): void {
    if (this.#isClosed) return;
    if (typeof message === 'number') return this.#reported(message);
    if (this.#isPaused || this.#inbox.length > 0) this.#inbox.push(message);
    else this.#read(message);
  }

  #read(message: unknown): void {
    if (this.#isClosed) return;
    if (message instanceof Uint8Array) return this.#deliver(message);
    assert(message === 'end', 'a port got a message that is none of a channel');
    this.end();
    this.#port.close();
    this.#close(false);
  }

  #deliver(bytes: Uint8Array): void {
    this.#toReport += bytes.length;
    if (this.#toReport >= reportBytes && !this.#hasEnded) {
      this.#port.post(this.#toReport, []);
      this.#toReport = 0;
    }
    this.#handlers!.data(bytes);
  }

  #reported(bytes: number): void {
    this.#unread -= bytes;
    if (!this.#isSaturated || this.bufferedBytes > 0) return;
    this.#isSaturated = false;
    this.#handlers!.drain?.();
  }

  #close(isBroken: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox = [];
    const { remoteAddress: address } = this;
    const message = `${address}: the port was closed`;
    if (isBroken) {
      this.#closeError = themisError('CONNECTION_FAILED', { message, details: { address } });
    }
    this.#handlers?.close(this.#closeError);
  }
}
