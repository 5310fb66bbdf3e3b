import type { ServerConfig } from './config/server-config.ts';
import type { Database } from './database/types.ts';

export interface RunningServer {
  /** `http://host:port`, as a client on this machine reaches it. */
  readonly url: string;
  readonly port: number;
  /** The same database, for the process that runs the server. */
  readonly database: Database;
  /** Takes over what can change while it runs: `cluster.peers`. CONFIG_INVALID, and nothing changes. */
  reload(config: ServerConfig): void;
  /** Not ready, hand leadership over, finish what is under way, write the state out, close. */
  stop(options?: StopOptions): Promise<void>;
}

export interface StopOptions {
  /** Requests that take longer are cut off. Default 30,000. */
  readonly graceMs?: number | undefined;
}

/** The first call counts; later ones get its result. */
export function once<A, R>(run: (argument?: A) => Promise<R>): (argument?: A) => Promise<R> {
  let result: Promise<R> | undefined;
  return (argument) => (result ??= run(argument));
}
