import { assert } from '@themisdb/base';
import { ConnectingPeer, type Peer, type PeerOptions } from './peer.ts';

/** One connection made by this side to each address that is asked for. */
export class Peers {
  readonly #options: PeerOptions;
  readonly #peers = new Map<string, Peer>();
  #isClosed = false;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** The same one for the same address; connecting begins when it is first asked for. */
  peer(address: string, { nodeId }: { readonly nodeId?: number } = {}): Peer {
    assert(!this.#isClosed, 'peers are asked for after close');
    let peer = this.#peers.get(address);
    if (peer === undefined) {
      peer = new ConnectingPeer(address, { ...this.#options, expectNodeId: nodeId });
      this.#peers.set(address, peer);
    }
    return peer;
  }

  /** Closes and forgets the peer at that address, when there is one. */
  async remove(address: string): Promise<void> {
    const peer = this.#peers.get(address);
    this.#peers.delete(address);
    await peer?.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#peers.keys()].map((address) => this.remove(address)));
  }
}
