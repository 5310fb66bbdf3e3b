import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  assert,
  type ConnectionHandlers,
  type ConnectOptions,
  type Network,
  type NetworkConnection,
  type NetworkListener,
  type ThemisError,
} from '@themisdb/base';
import { themisError } from '@themisdb/protocol';

const connectTimeoutMs = 5_000;
const keepAliveDelayMs = 10_000;
// Buffered above this, `write` answers false.
const highWaterMark = 262_144;

/** TCP. Small writes leave at once (TCP_NODELAY): who writes gathers what belongs together. */
export const nodeNetwork: Network = {
  async listen(address, onConnection) {
    const { host, port } = parseAddress(address);
    const server = createServer({ pauseOnConnect: true, ...socketOptions }, (socket) =>
      onConnection(new NodeConnection(socket)),
    );
    await listening(server, host, port);
    return makeListener(server);
  },

  connect(address, options = {}) {
    return connectTo(address, options);
  },
};

const socketOptions = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: keepAliveDelayMs,
  highWaterMark,
};

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(failed(formatAddress(host, port), error)));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function makeListener(server: Server): NetworkListener {
  const { address, port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    address: formatAddress(address, port),
    // server.close() calls back only once every connection is gone; it listens no longer at once.
    close: () => (closing ??= Promise.resolve(void server.close())),
  };
}

function connectTo(address: string, options: ConnectOptions): Promise<NetworkConnection> {
  const { timeoutMs = connectTimeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const socket = connect({ ...parseAddress(address), ...socketOptions });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
    };
    const giveUp = (reason: unknown): void => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(reason);
    };
    const onAbort = (): void => giveUp(signal!.reason);
    const timer = setTimeout(() => {
      giveUp(connectionFailed(address, `no connection within ${timeoutMs} ms`));
    }, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => giveUp(failed(address, error)));
    socket.once('connect', () => {
      settle();
      resolve(new NodeConnection(socket));
    });
  });
}

/** Also what TLS sockets will come in: `tls.TLSSocket` is a `Socket`. */
export class NodeConnection implements NetworkConnection {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  #error: Error | undefined;
  #isStarted = false;
  #isOurEnd = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = formatAddress(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0);
    // Heard from the beginning: an error nobody hears ends the process.
    socket.on('error', (error) => (this.#error = error));
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  start(handlers: ConnectionHandlers): void {
    assert(!this.#isStarted, 'a connection is started once');
    this.#isStarted = true;
    const socket = this.#socket;
    if (socket.closed) return void setImmediate(() => handlers.close(this.#closeError()));
    socket.on('drain', () => handlers.drain?.());
    socket.on('close', () => handlers.close(this.#closeError()));
    socket.on('data', (bytes) => handlers.data(bytes));
    socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#socket.writable) return false;
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#isOurEnd = true;
    this.#socket.end();
  }

  destroy(): void {
    this.#isOurEnd = true;
    this.#socket.destroy();
  }

  #closeError(): ThemisError | undefined {
    if (this.#error === undefined || this.#isOurEnd) return undefined;
    return failed(this.remoteAddress, this.#error);
  }
}

function failed(address: string, error: Error): ThemisError {
  const errno = (error as NodeJS.ErrnoException).code ?? error.message;
  return connectionFailed(address, errno, error);
}

function connectionFailed(address: string, why: string, cause?: Error): ThemisError {
  return themisError('CONNECTION_FAILED', {
    message: `${address}: ${why}`,
    details: { address },
    cause,
  });
}

function parseAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address);
  const port = Number(match?.[3]);
  if (match !== null && port <= 65_535) return { host: (match[1] ?? match[2])!, port };
  throw themisError('CONFIG_INVALID', { message: `${address} is not an address host:port` });
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
