import { checkCluster } from './config/cluster.ts';
import { mustBeLoopback } from './config/loopback.ts';
import type { ServerConfig } from './config/server-config.ts';
import { HttpFront } from './http-front.ts';
import { DatabaseNode, type StartOptions } from './node.ts';
import { once, type RunningServer, type StopOptions } from './running-server.ts';
import { startInWorker } from './store-thread/start.ts';

export type { StartOptions } from './node.ts';
export type { RunningServer, StopOptions } from './running-server.ts';

/** Opens the data and listens. Errors of `open`, and CONFIG_INVALID when a port is taken. */
export async function startServer(
  config: ServerConfig,
  options: StartOptions = {},
): Promise<RunningServer> {
  // Again here: whoever builds a configuration by hand must not open the door either.
  mustBeLoopback('host', config.host);
  checkCluster(config.cluster);
  if (config.store.thread === 'worker') return startInWorker(config, options);
  const node = await DatabaseNode.open(config, options);
  let front: HttpFront;
  try {
    front = await HttpFront.open(config, node.env.timers, (carrier) => node.handle(carrier));
  } catch (error) {
    await node.close();
    throw error;
  }
  node.serveAt(front.url);
  return {
    url: front.url,
    port: front.port,
    database: node.database,
    reload: (next) => node.reload(next),
    stop: once(async ({ graceMs = 30_000 }: StopOptions = {}) => {
      await node.drain();
      // Also of requests of other nodes, which are no clients of the front.
      const timer = node.env.timers.after(graceMs, () => node.cutShort());
      await front.close(graceMs);
      await node.close();
      timer.cancel();
    }),
  };
}
