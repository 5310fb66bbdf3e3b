import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Pump, type After, type PumpOptions } from './pump.ts';
import type { Rules } from './rules.ts';

export interface LinkOptions {
  /** The node that opens the connections, and the one that takes them. */
  readonly from: number;
  readonly to: number;
  /** Where the latter listens. */
  readonly targetPort: number;
  readonly rules: Rules;
  readonly after: After;
}

/**
 * A TCP proxy for the connections one node opens to another. Their bytes flow in both directions,
 * each under the rule of its own: what the taker answers is cut with `to → from`.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pumps = new Map<Pump, 'there' | 'back'>();
  readonly #passedBytes = { there: 0, back: 0 };
  readonly #forget: () => void;

  private constructor(options: LinkOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#forget = options.rules.onChange(() => {
      for (const pump of this.#pumps.keys()) pump.flush();
    });
  }

  static async open(options: LinkOptions): Promise<Link> {
    const link = new Link(options);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get targetPort(): number {
    return this.#options.targetPort;
  }

  /** Bytes so far, and those that wait, `there` along the link and `back`. */
  stats(direction: 'there' | 'back'): { readonly passedBytes: number; readonly heldBytes: number } {
    const held = [...this.#pumps].filter(([, way]) => way === direction);
    return {
      passedBytes: this.#passedBytes[direction],
      heldBytes: held.reduce((sum, [pump]) => sum + pump.heldBytes, 0),
    };
  }

  async close(): Promise<void> {
    this.#forget();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server.close(), 'close');
  }

  /** A handshake needs both directions: until then the caller waits, taken but not answered. */
  #accept(caller: Socket): void {
    this.#keep(caller);
    caller.pause();
    const { from, to, rules } = this.#options;
    const isOpen = (): boolean => !rules.between(from, to).isCut && !rules.between(to, from).isCut;
    if (isOpen()) return this.#dial(caller);
    const forget = rules.onChange(() => {
      if (!isOpen()) return;
      forget();
      if (!caller.destroyed) this.#dial(caller);
    });
    caller.once('close', forget);
  }

  #dial(caller: Socket): void {
    const { from, to, rules, after, targetPort } = this.#options;
    const taker = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    this.#keep(taker);
    const refuse = (): void => void caller.resetAndDestroy();
    taker.once('error', refuse);
    const forget = (): void => void taker.destroy();
    caller.once('close', forget);
    taker.once('connect', () => {
      taker.off('error', refuse);
      caller.off('close', forget);
      this.#pump('there', { source: caller, target: taker, rule: rules.between(from, to), after });
      this.#pump('back', { source: taker, target: caller, rule: rules.between(to, from), after });
      caller.resume();
    });
  }

  #pump(direction: 'there' | 'back', options: Omit<PumpOptions, 'onBytes' | 'onOver'>): void {
    const pump = new Pump({
      ...options,
      onBytes: (count) => void (this.#passedBytes[direction] += count),
      onOver: () => void this.#pumps.delete(pump),
    });
    this.#pumps.set(pump, direction);
  }

  #keep(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    // A broken connection is news for the other end: 'close' follows and is passed on.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
