import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Timers } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { ServerConfig } from './config/server-config.ts';
import { isReceiving } from './http/body.ts';
import { HttpCarrier } from './http/carrier.ts';

const headersTimeoutMs = 20_000;
const keepAliveTimeoutMs = 65_000;

/** The side of a server that clients reach: sockets and HTTP, and nothing of what is behind. */
export class HttpFront {
  readonly #server: Server;
  readonly #timers: Pick<Timers, 'after'>;
  readonly url: string;
  readonly port: number;

  private constructor(server: Server, host: string, timers: Pick<Timers, 'after'>) {
    this.#server = server;
    this.#timers = timers;
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  /** CONFIG_INVALID when the port is taken. */
  static async open(
    config: ServerConfig,
    timers: Pick<Timers, 'after'>,
    handle: (carrier: HttpCarrier) => Promise<void>,
  ): Promise<HttpFront> {
    const server = createServer({
      headersTimeout: headersTimeoutMs,
      // Bodies have their own clock (`body.ts`): an import may take hours.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 5000,
    });
    const take = (request: IncomingMessage, response: ServerResponse): void =>
      void handle(new HttpCarrier(request, response));
    // Who asks before sending a body hears "continue" when a route begins to read it.
    server.on('request', take).on('checkContinue', take);
    server.maxConnections = config.limits.connectionsMax;
    dropStalled(server, config.limits.receiveTimeoutMs);
    await bind(server, config);
    return new HttpFront(server, config.host, timers);
  }

  /** Takes no more; resolves when all is answered. After `graceMs` all is cut off. */
  async close(graceMs: number): Promise<void> {
    const server = this.#server;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = this.#timers.after(graceMs, () => server.closeAllConnections());
    await closed;
    timer.cancel();
  }
}

function bind(server: Server, config: ServerConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken' : (error.code ?? error.message);
      reject(
        themisError('CONFIG_INVALID', {
          message: `cannot listen on ${config.host} port ${config.port}: ${why}`,
          cause: error,
        }),
      );
    });
    server.listen(config.port, config.host, () => resolve());
  });
}

/**
 * A socket without traffic for this long is closed when it is the client who keeps us waiting: a
 * request that does not come to its end, or an answer that is not taken. Who waits for us may wait.
 */
function dropStalled(server: Server, idleMs: number): void {
  server.setTimeout(idleMs, (socket: Socket) => {
    if (socket.writableLength > 0 || isReceiving(socket)) socket.destroy();
  });
}
