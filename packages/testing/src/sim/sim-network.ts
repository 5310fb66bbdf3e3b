import {
  assert,
  type ConnectOptions,
  type Network,
  type NetworkConnection,
  type NetworkListener,
  type Prng,
  type ThemisError,
} from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { SimScheduler } from './scheduler.ts';
import { SimConnection, type SimWire } from './sim-connection.ts';
import type { LatencyMs } from './sim-disk.ts';
import { SimPaths, type NetworkFault } from './sim-paths.ts';
import type { Trace } from './trace.ts';

export interface SimNetworkOptions {
  /** Shortest and longest way from host to host, in virtual milliseconds. Default 0.1 to 1. */
  readonly latencyMs?: LatencyMs;
  /** How long a writer bears a path that lets nothing through. Default 15,000. */
  readonly timeoutMs?: number;
}

type OnConnection = (connection: NetworkConnection) => void;

interface Host {
  /** Counts processes: what belongs to an earlier one is dead. */
  life: number;
  /** False from a silent crash to the restart: nothing answers, not even with a refusal. */
  isUp: boolean;
  readonly listeners: Map<number, OnConnection>;
  nextPort: number;
}

/**
 * A network in memory, on virtual time: hosts by name, connections that keep order, and faults. A path
 * that is blocked holds bytes up as TCP does, which sends them again once it heals; the writer gives up after
 * `timeoutMs`. There is no limit of bandwidth.
 */
export class SimNetwork {
  readonly #scheduler: SimScheduler;
  readonly #trace: Trace;
  readonly #wire: SimWire;
  readonly #paths: SimPaths;
  readonly #hosts = new Map<string, Host>();
  #connections: SimConnection[] = [];
  #waiting: (() => void)[] = [];

  constructor(
    scheduler: SimScheduler,
    prng: Prng,
    trace: Trace,
    { latencyMs = [0.1, 1], timeoutMs = 15_000 }: SimNetworkOptions = {},
  ) {
    this.#scheduler = scheduler;
    this.#trace = trace;
    this.#paths = new SimPaths(prng.fork(), latencyMs, () => this.#release());
    this.#wire = {
      scheduler,
      prng: prng.fork(),
      timeoutMs,
      delayMs: (from, to) => this.#paths.delayMs(from, to),
      isBlocked: (from, to) => this.#isBlocked(from, to),
      note: (line) => this.#note(line),
    };
  }

  /** The network as the process that now runs on `name` sees it. Addresses are `name:port`. */
  host(name: string): Network {
    const host = this.#hostOf(name);
    const { life } = host;
    const mustLive = (): void =>
      assert(host.life === life, () => `${name} uses the network after its end`);
    return {
      listen: async (address, onConnection) => {
        mustLive();
        return this.#listen(name, host, address, onConnection);
      },
      connect: (address, options = {}) => {
        mustLive();
        return this.#connect(name, address, options);
      },
    };
  }

  /** Nothing gets from one set to the other, nor back unless `oneWay`, until it is healed. */
  partition(
    from: readonly string[],
    to: readonly string[],
    { oneWay = false }: { readonly oneWay?: boolean } = {},
  ): NetworkFault {
    this.#note(`partition ${from.join()} ${to.join()} ${oneWay ? 'one way' : 'both ways'}`);
    const there = this.#paths.add(from, to, Infinity);
    const back = oneWay ? undefined : this.#paths.add(to, from, Infinity);
    return {
      heal() {
        there.heal();
        back?.heal();
      },
    };
  }

  /** All that goes from one set to the other takes so much longer. */
  clog(from: readonly string[], to: readonly string[], delayMs: number): NetworkFault {
    this.#note(`clog ${from.join()} ${to.join()} ${delayMs}`);
    return this.#paths.add(from, to, delayMs);
  }

  /** Heals all partitions and clogs. */
  heal(): void {
    this.#note('heal');
    this.#paths.clear();
  }

  /** Resets connections between the two hosts; of all hosts when left out. */
  reset(a?: string, b?: string): void {
    const isMeant = (connection: SimConnection): boolean =>
      (a === undefined || connection.host === a || connection.remoteHost === a) &&
      (b === undefined || connection.host === b || connection.remoteHost === b);
    for (const connection of this.#open().filter(isMeant)) connection.fail('reset by a fault');
  }

  /**
   * The process on the host is gone, with its listeners and connections. `reset`: the host lives on and
   * tells those at the other ends; `silent`: the host is gone as well, they notice by time-outs or when it
   * is back. What comes next must take a new `host(name)`.
   */
  crash(name: string, how: 'silent' | 'reset'): void {
    this.#note(`crash ${name} ${how}`);
    const host = this.#hostOf(name);
    host.life++;
    host.isUp = how === 'reset';
    host.listeners.clear();
    for (const connection of this.#open()) {
      if (connection.host !== name) continue;
      connection.die(how);
    }
  }

  /** After a silent crash: the host answers again. */
  restart(name: string): void {
    this.#note(`restart ${name}`);
    this.#hostOf(name).isUp = true;
    this.#release();
  }

  async #listen(
    name: string,
    host: Host,
    address: string,
    onConnection: OnConnection,
  ): Promise<NetworkListener> {
    const [hostName, wanted] = parse(address);
    if (hostName !== name) throw failed(address, `not an address of ${name}`);
    const port = wanted === 0 ? host.nextPort++ : wanted;
    if (host.listeners.has(port)) throw failed(address, 'EADDRINUSE');
    host.listeners.set(port, onConnection);
    return {
      address: `${name}:${port}`,
      async close() {
        if (host.listeners.get(port) === onConnection) host.listeners.delete(port);
      },
    };
  }

  #connect(from: string, address: string, options: ConnectOptions): Promise<NetworkConnection> {
    const { timeoutMs = 5_000, signal } = options;
    const host = this.#hostOf(from);
    const { life } = host;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let isSettled = false;
      const settle = (how: () => void): void => {
        if (isSettled) return;
        isSettled = true;
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        // Nothing reaches a process that has died.
        if (host.life === life) how();
      };
      const onAbort = (): void => settle(() => reject(signal!.reason));
      signal?.addEventListener('abort', onAbort, { once: true });
      const timer = this.#scheduler.at(timeoutMs, () =>
        settle(() => reject(failed(address, `no connection within ${timeoutMs} ms`))),
      );
      this.#handshake(from, address, (outcome) => {
        if (isSettled && outcome instanceof SimConnection) return outcome.destroy();
        settle(() => (outcome instanceof SimConnection ? resolve(outcome) : reject(outcome)));
      });
    });
  }

  #handshake(from: string, address: string, done: (outcome: SimConnection | ThemisError) => void) {
    const [to, port] = parse(address);
    const { life } = this.#hostOf(from);
    const back = (outcome: SimConnection | ThemisError): void =>
      this.#carry(to, from, () => {
        if (this.#hostOf(from).life === life) done(outcome);
        else if (outcome instanceof SimConnection) outcome.die('silent');
      });
    this.#carry(from, to, () => {
      if (this.#hostOf(from).life !== life) return;
      const onConnection = this.#hostOf(to).listeners.get(port);
      this.#note(`${from} connects ${address} ${onConnection === undefined ? 'refused' : ''}`);
      if (onConnection === undefined) return back(failed(address, 'ECONNREFUSED'));
      const here = `${from}:${this.#hostOf(from).nextPort++}`;
      const [near, far] = SimConnection.pair(this.#wire, [from, address], [to, here]);
      this.#connections = this.#connections.filter(({ isForgotten }) => !isForgotten);
      this.#connections.push(near, far);
      onConnection(far);
      back(near);
    });
  }

  /** Brings word from host to host, once the path is free. */
  #carry(from: string, to: string, arrive: () => void): void {
    this.#scheduler.at(this.#paths.delayMs(from, to), () => {
      if (!this.#isBlocked(from, to)) return arrive();
      this.#waiting.push(() => this.#carry(from, to, arrive));
    });
  }

  #isBlocked(from: string, to: string): boolean {
    return !this.#hostOf(to).isUp || this.#paths.isBlocked(from, to);
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
    for (const connection of this.#connections) connection.release();
  }

  #open(): SimConnection[] {
    return this.#connections.filter(({ isGone }) => !isGone);
  }

  #hostOf(name: string): Host {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = { life: 1, isUp: true, listeners: new Map(), nextPort: 40_000 };
      this.#hosts.set(name, host);
    }
    return host;
  }

  #note(line: string): void {
    this.#trace.add(`${this.#scheduler.nowMs} net ${line}`);
  }
}

function parse(address: string): [host: string, port: number] {
  const at = address.lastIndexOf(':');
  const port = Number(address.slice(at + 1));
  assert(at > 0 && Number.isInteger(port), () => `${address} is not an address host:port`);
  return [address.slice(0, at), port];
}

function failed(address: string, why: string): ThemisError {
  return themisError('CONNECTION_FAILED', { message: `${address}: ${why}`, details: { address } });
}
