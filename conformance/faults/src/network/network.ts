import { Link } from './link.ts';
import type { After } from './pump.ts';
import { Rules } from './rules.ts';

/**
 * The network between the nodes of a cluster on one machine: each node reaches each other one through
 * a proxy of its own, and any direction can be cut or slowed down. Nodes count from 0. Nothing is ever
 * lost or reordered inside a connection, as TCP promises; what is cut waits.
 */
export class Network {
  readonly #nodes: number;
  readonly #rules: Rules;
  readonly #after: After;
  readonly #links = new Map<string, Link>();

  private constructor(nodes: number, after: After) {
    this.#nodes = nodes;
    this.#rules = new Rules(nodes);
    this.#after = after;
  }

  static async open(
    peerPorts: readonly number[],
    after: After = (delayMs, run) => void setTimeout(run, delayMs),
  ): Promise<Network> {
    const network = new Network(peerPorts.length, after);
    for (const [from, to] of network.#pairs()) await network.#open(from, to, peerPorts[to]!);
    return network;
  }

  /**
   * Another process, which listens at `peerPort`, is `node` from now on. It and the others reach each
   * other at new ports; the rules stay.
   */
  async replace(node: number, peerPort: number): Promise<void> {
    for (const [from, to] of this.#pairs()) {
      if (from !== node && to !== node) continue;
      const old = this.link(from, to);
      await this.#open(from, to, to === node ? peerPort : old.targetPort);
      await old.close();
    }
  }

  /** Where `from` finds `to`. */
  portOf(from: number, to: number): number {
    return this.link(from, to).port;
  }

  link(from: number, to: number): Link {
    const link = this.#links.get(`${from} ${to}`);
    if (link === undefined) throw new Error(`there is no link from ${from} to ${to}`);
    return link;
  }

  /** What `from` sends to `to` no longer arrives. */
  cut(from: number, to: number): void {
    this.#rules.change(from, to, { isCut: true });
  }

  /** In both directions, from all others. */
  isolate(node: number): void {
    this.cutOutgoing(node);
    this.cutIncoming(node);
  }

  cutOutgoing(node: number): void {
    for (const [from, to] of this.#pairs()) if (from === node) this.cut(from, to);
  }

  cutIncoming(node: number): void {
    for (const [from, to] of this.#pairs()) if (to === node) this.cut(from, to);
  }

  /** Nobody reaches anybody. */
  cutAll(): void {
    for (const [from, to] of this.#pairs()) this.cut(from, to);
  }

  delayAll(delayMs: number): void {
    for (const [from, to] of this.#pairs()) this.#rules.change(from, to, { delayMs });
  }

  /** All directions are open and fast again; what waited arrives. */
  heal(): void {
    for (const [from, to] of this.#pairs()) {
      this.#rules.change(from, to, { isCut: false, delayMs: 0 });
    }
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) await link.close();
  }

  async #open(from: number, to: number, targetPort: number): Promise<void> {
    const options = { from, to, targetPort, rules: this.#rules, after: this.#after };
    this.#links.set(`${from} ${to}`, await Link.open(options));
  }

  #pairs(): [from: number, to: number][] {
    const nodes = Array.from({ length: this.#nodes }, (_, node) => node);
    return nodes.flatMap((from) =>
      nodes.filter((to) => to !== from).map((to): [number, number] => [from, to]),
    );
  }
}
