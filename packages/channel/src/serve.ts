import { isThemisError, type Network, type NetworkConnection } from '@themisdb/base';
import type { ShardChannel } from './contract.ts';
import { openChannel, type ChannelOptions } from './open.ts';

export interface ServeOptions extends ChannelOptions {
  readonly network: Network;
  /** Connections beyond are closed at once. Default 1,024. */
  readonly connectionsMax?: number;
  readonly onChannel?: (channel: ShardChannel) => void;
}

export interface ChannelServer {
  /** With the port it really has. */
  readonly address: string;
  /** Those that have said hello and are open. */
  readonly channels: ReadonlySet<ShardChannel>;
  /** Takes no more, and closes those there are. */
  close(): Promise<void>;
}

/** Takes channels that other sides open to `address`. */
export async function serveChannels(
  address: string,
  options: ServeOptions,
): Promise<ChannelServer> {
  const acceptor = new Acceptor(options);
  const listener = await options.network.listen(address, (connection) => {
    void acceptor.accept(connection);
  });
  return {
    address: listener.address,
    channels: acceptor.channels,
    async close() {
      await listener.close();
      await acceptor.close();
    },
  };
}

class Acceptor {
  readonly channels = new Set<ShardChannel>();
  readonly #options: ServeOptions;
  /** Those that have not said hello yet. */
  readonly #greeting = new Set<NetworkConnection>();
  #isClosed = false;

  constructor(options: ServeOptions) {
    this.#options = options;
  }

  async accept(connection: NetworkConnection): Promise<void> {
    const { connectionsMax = 1_024, env, onChannel } = this.#options;
    const { remoteAddress } = connection;
    if (this.#isClosed || this.channels.size + this.#greeting.size >= connectionsMax) {
      env.log.write('warn', 'connection refused: too many', { remoteAddress });
      return connection.destroy();
    }
    this.#greeting.add(connection);
    try {
      const channel = await openChannel(connection, this.#options);
      if (this.#isClosed) return await channel.close();
      this.channels.add(channel);
      channel.onClose(() => this.channels.delete(channel));
      onChannel?.(channel);
    } catch (error) {
      if (!isThemisError(error)) throw error;
      const { code, message, details } = error;
      env.log.write('warn', 'connection refused', { remoteAddress, code, message, details });
    } finally {
      this.#greeting.delete(connection);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#greeting) connection.destroy();
    await Promise.all([...this.channels].map((channel) => channel.close()));
  }
}
