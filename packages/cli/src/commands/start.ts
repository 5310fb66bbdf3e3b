import type { Command } from 'commander';
import {
  configKeys,
  configNames,
  flagOf,
  loadConfig,
  startServer,
  type ConfigName,
  type RunningServer,
  type ServerConfig,
} from '@themisdb/server';
import { reportError } from '../report-error.ts';
import { exitCodes, type Terminal } from '../terminal.ts';

/** Flags people type; the other settings are flags as well, listed by `--help`. */
export function startCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('start')
    .description('Start one node with all roles: HTTP API and data in one folder.')
    .option('--config <file>', 'configuration file (YAML or JSON); also THEMIS_CONFIG');
  for (const name of configNames) command.option(`--${flagOf(name)} <value>`, describe(name));
  command.addHelpText(
    'after',
    `
Every setting is also a variable: --port is THEMIS_PORT. Flags win over variables, variables over
the file. On SIGHUP cluster.peers is read anew from the file.`,
  );
  command.action(async () => {
    const { config: file, ...given } = command.opts<Record<string, string>>();
    const flags = Object.fromEntries(
      command.options
        .filter((option) => Object.hasOwn(given, option.attributeName()))
        .map((option) => [option.long!.slice(2), given[option.attributeName()]]),
    );
    const load = (): ServerConfig =>
      loadConfig({ flags, variables: terminal.variables, file }).config;
    const config = load();
    const server = await startServer(config);
    process.on('SIGHUP', () => reload(server, load, terminal));
    welcome(terminal, server.url, config);
    await untilStopped(server, terminal);
  });
}

function describe(name: ConfigName): string {
  const { summary, default: preset } = configKeys[name];
  const shown = Array.isArray(preset) ? preset.join(',') : String(preset);
  return shown === '' ? summary : `${summary} Default: ${shown}.`;
}

function welcome(terminal: Terminal, url: string, { engine, data, cluster }: ServerConfig): void {
  const state =
    cluster.node === 0
      ? 'ThemisDB is ready.'
      : `Node ${cluster.node} of ThemisDB is up; ${url}/readyz tells when it has its place in the cluster.`;
  terminal.stdout.write(`
  ${state}   ${url}   data: ${engine === 'memory' ? 'memory' : data}

  Try it:
    curl -X POST ${url}/query/aql -H 'content-type: application/json' \\
         -d '{"query": "FOR i IN 1..3 RETURN i * i"}'
    npm run demo                  real data and queries worth reading
    npx themis shell              an AQL shell with completion
    ${url}/openapi.json   every route

  Stop with Ctrl-C.
`);
}

/** What is wrong is told, and changes nothing: the server goes on as it was. */
function reload(server: RunningServer, load: () => ServerConfig, terminal: Terminal): void {
  try {
    server.reload(load());
    terminal.stderr.write('cluster.peers was read anew\n');
  } catch (error) {
    reportError(terminal, error);
  }
}

/** Until an orderly stop is done. A second signal ends the process at once, with code 1. */
async function untilStopped(
  server: { stop(options?: { graceMs?: number }): Promise<void> },
  terminal: Terminal,
): Promise<void> {
  const next = (): Promise<NodeJS.Signals> =>
    new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => resolve(signal));
    });
  await next();
  terminal.stderr.write('stopping: finishing requests, writing state out …\n');
  // What the stop waits for would keep the process alive.
  void next().then(() => process.exit(exitCodes.failed));
  await server.stop({ graceMs: 30_000 });
}
