import type { Command } from 'commander';
import { ThemisClient, type Consistency } from '@themisdb/client';
import type { Terminal } from './terminal.ts';

export interface ConnectionFlags {
  readonly url?: string;
  readonly namespace?: string;
  readonly consistency?: Consistency;
}

/** The flags of every command that talks to a server. */
export function withConnection(command: Command): Command {
  return command
    .option(
      '-u, --url <url>',
      'address of the server, or of several nodes, separated by commas (or THEMIS_URL)',
    )
    .option('-n, --namespace <name>', 'namespace to work in', 'default')
    .option('--consistency <level>', 'how fresh reads are: strong, bounded=<ms>, eventual');
}

export function connect(flags: ConnectionFlags, terminal: Terminal): ThemisClient {
  const url = flags.url ?? terminal.variables['THEMIS_URL'] ?? 'http://127.0.0.1:8080';
  const { namespace = 'default', consistency } = flags;
  return new ThemisClient({ url: url.split(','), namespace, consistency });
}
