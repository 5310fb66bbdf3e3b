import type { Network, NetworkConnection } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { nodeNetwork } from '../env/index.ts';

/** Real TCP of one node, that can be cut: all connections break, and none can be made until it is mended. */
export class CuttableNetwork implements Network {
  #isCut = false;
  readonly #open = new Set<NetworkConnection>();

  cut(): void {
    this.#isCut = true;
    for (const connection of this.#open) connection.destroy();
    this.#open.clear();
  }

  mend(): void {
    this.#isCut = false;
  }

  listen: Network['listen'] = (address, onConnection) =>
    nodeNetwork.listen(address, (connection) => {
      if (this.#isCut) return connection.destroy();
      this.#open.add(connection);
      onConnection(connection);
    });

  connect: Network['connect'] = async (address, options) => {
    if (this.#isCut) throw themisError('CONNECTION_FAILED', { message: `${address}: cut` });
    const connection = await nodeNetwork.connect(address, options);
    this.#open.add(connection);
    return connection;
  };
}
