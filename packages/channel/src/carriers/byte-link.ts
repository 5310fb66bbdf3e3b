import {
  emptyBytes,
  type Env,
  type NetworkConnection,
  type ThemisError,
  type TimerHandle,
} from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { ChannelLimits } from '../limits.ts';
import { FrameDecoder, readU16, readU32 } from '../wire/decoder.ts';
import { FrameFault, protocolError, type GoodbyeReason } from '../wire/faults.ts';
import { fixedBytesOf, frameFlags, frameTypes } from '../wire/frame.ts';
import { decodeGoodbye, encodeGoodbye } from '../wire/goodbye.ts';
import { decodeHello, encodeHello, helloBytesMax, type Hello } from '../wire/hello.ts';
import { FrameWriter } from './frame-writer.ts';
import { KeepAlive } from './keep-alive.ts';
import type { FrameLink, FrameSink } from './link.ts';
import { MessageAssembly } from './message-assembly.ts';

// Time for a last word to get through before the connection is cut.
const lingerMs = 1_000;
const pongsBytesMax = 65_536;

export interface ByteLinkOptions {
  readonly env: Pick<Env, 'timers'>;
  readonly limits: ChannelLimits;
  readonly hello: Hello;
  /** Makes the sink once the other side has said hello; throws `FrameFault` to refuse it. */
  readonly welcome: (hello: Hello, link: FrameLink) => FrameSink;
  /** Called instead of `FrameSink.closed` when there is no sink yet. */
  readonly refused: (error: ThemisError) => void;
}

/** Frames over a byte stream: hello, long messages in parts, signs of life, goodbye. */
export class ByteLink implements FrameLink {
  readonly #connection: NetworkConnection;
  readonly #options: ByteLinkOptions;
  readonly #writer: FrameWriter;
  readonly #decoder: FrameDecoder;
  readonly #assembly: MessageAssembly;
  #keepAlive: KeepAlive | undefined;
  #sink: FrameSink | undefined;
  #timer: TimerHandle | undefined;
  /** A goodbye was said or heard: what comes in is no longer read. */
  #isClosing = false;
  /** Why, when that was not an orderly close. */
  #reason: ThemisError | undefined;

  constructor(connection: NetworkConnection, options: ByteLinkOptions) {
    const { env, limits } = options;
    this.#connection = connection;
    this.#options = options;
    this.#writer = new FrameWriter(connection, helloBytesMax, (flush) => {
      void env.timers.yield().then(flush);
    });
    this.#decoder = new FrameDecoder(helloBytesMax, (type, flags, callId, body) =>
      this.#frame(type, flags, callId, body),
    );
    this.#assembly = new MessageAssembly(limits.messageBytesMax);
    this.#writer.send(frameTypes.hello, 0, 0, 0, 0, encodeHello(options.hello));
    this.#timer = env.timers.after(limits.helloTimeoutMs, () =>
      this.close('hello-timeout', `no hello within ${limits.helloTimeoutMs} ms`),
    );
    connection.start({
      data: (bytes) => this.#data(bytes),
      drain: () => this.#writer.drained(),
      close: (error) => this.#closed(error),
    });
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  send(
    type: number,
    flags: number,
    callId: number,
    operation: number,
    value: number,
    body: Uint8Array,
  ): void {
    if (!this.#isClosing) this.#writer.send(type, flags, callId, operation, value, body);
  }

  close(reason: GoodbyeReason, text: string): void {
    if (this.#isClosing) return;
    if (reason !== 'closing') this.#reason = protocolError(reason, text, 'us');
    this.#writer.send(frameTypes.goodbye, 0, 0, 0, 0, encodeGoodbye(reason, text));
    this.#isClosing = true;
    this.#writer.flush();
    this.#end();
  }

  #end(): void {
    this.#connection.end();
    this.#keepAlive?.stop();
    this.#timer?.cancel();
    this.#timer = this.#options.env.timers.after(lingerMs, () => this.#connection.destroy());
  }

  #data(bytes: Uint8Array): void {
    if (this.#isClosing) return;
    this.#keepAlive?.heard();
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error;
      this.close(error.reason, error.message);
    }
  }

  #frame(type: number, flags: number, callId: number, body: Uint8Array): void {
    // The rest of a piece in which the other side, or this one in answer to it, said goodbye.
    if (this.#isClosing) return;
    if ((flags & ~(frameFlags.end | frameFlags.more)) !== 0) {
      throw new FrameFault('bad-frame', `unknown flags ${flags}`);
    }
    if (this.#sink === undefined) return this.#beforeHello(type, body);
    switch (type) {
      case frameTypes.hello:
        throw new FrameFault('out-of-place', 'a second hello');
      case frameTypes.goodbye:
        return this.#goodbye(body);
      case frameTypes.ping:
        return this.#pong();
      case frameTypes.pong:
        return;
      case frameTypes.continuation:
        if (this.#assembly.goOn(flags, callId, body)) this.#assembled();
        return;
      default:
        if ((flags & frameFlags.more) === 0) return this.#deliver(type, flags, callId, body);
        return this.#assembly.begin(type, flags, callId, body);
    }
  }

  /** Who has that much to read needs no other sign of life, and might be asking without reading. */
  #pong(): void {
    if (this.#writer.bufferedBytes > pongsBytesMax) return;
    this.#writer.send(frameTypes.pong, 0, 0, 0, 0, emptyBytes);
  }

  #assembled(): void {
    const { type, flags, callId, body } = this.#assembly.take();
    this.#deliver(type, flags, callId, body);
  }

  #deliver(type: number, flags: number, callId: number, body: Uint8Array): void {
    const fixed = fixedBytesOf(type);
    if (body.length < fixed) throw new FrameFault('bad-frame', `frame ${type} is cut short`);
    if (fixed === 0) return this.#sink!.frame(type, flags, callId, 0, 0, body);
    const operation = fixed === 4 ? 0 : readU16(body, 0);
    const value = fixed === 2 ? 0 : readU32(body, fixed - 4);
    const rest = new Uint8Array(body.buffer, body.byteOffset + fixed, body.length - fixed);
    this.#sink!.frame(type, flags, callId, operation, value, rest);
  }

  #beforeHello(type: number, body: Uint8Array): void {
    if (type === frameTypes.goodbye) return this.#goodbye(body);
    if (type !== frameTypes.hello) {
      throw new FrameFault('out-of-place', `frame ${type} before the hello`);
    }
    const { env, limits, welcome } = this.#options;
    const hello = decodeHello(body);
    this.#sink = welcome(hello, this);
    this.#timer?.cancel();
    this.#decoder.setBodyBytesMax(limits.frameBytesMax);
    this.#writer.setBodyBytesMax(Math.min(limits.frameBytesMax, hello.frameBytesMax));
    this.#keepAlive = new KeepAlive(
      env.timers,
      limits.deadAfterMs,
      () => this.#writer.send(frameTypes.ping, 0, 0, 0, 0, emptyBytes),
      () => this.#giveUp(`nothing heard for ${limits.deadAfterMs} ms`),
    );
  }

  #giveUp(why: string): void {
    this.#reason = connectionFailed(this.#connection, why);
    this.#connection.destroy();
  }

  #goodbye(body: Uint8Array): void {
    const { reason, text } = decodeGoodbye(body);
    if (reason !== 'closing') this.#reason = protocolError(reason, text, 'peer');
    this.#isClosing = true;
    this.#end();
  }

  #closed(error: ThemisError | undefined): void {
    const isOrderly = this.#isClosing;
    this.#isClosing = true;
    this.#keepAlive?.stop();
    this.#timer?.cancel();
    const why = (): ThemisError =>
      error ?? connectionFailed(this.#connection, 'the connection ended without a goodbye');
    const reason = this.#reason ?? (isOrderly ? undefined : why());
    if (this.#sink !== undefined) this.#sink.closed(reason);
    else
      this.#options.refused(reason ?? connectionFailed(this.#connection, 'the other side closed'));
  }
}

function connectionFailed(connection: NetworkConnection, why: string): ThemisError {
  const { remoteAddress } = connection;
  return themisError('CONNECTION_FAILED', {
    message: `${remoteAddress}: ${why}`,
    details: { remoteAddress },
  });
}
