import { createInterface, type Interface } from 'node:readline';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { DevCluster, helpText } from '../dev-cluster/dev-cluster.ts';
import { exitCodes, type Terminal } from '../terminal.ts';

interface Flags {
  readonly nodes: number;
  readonly data: string;
  readonly port: number;
  readonly peerPort: number;
  readonly engine: string;
}

export function devClusterCommand(
  program: Command,
  terminal: Terminal,
  fail: (code: number) => void,
): void {
  program
    .command('dev-cluster')
    .description(
      'Start several nodes on this machine, to play with: kill one, and see what happens.',
    )
    .option('--nodes <count>', 'how many, 2 to 9', whole(2, 9), 3)
    .option('--data <folder>', 'folder for data and configuration files', './data/dev-cluster')
    .option('--port <port>', 'HTTP port of node 1; the others follow', whole(1, 65_000), 8081)
    .option('--peer-port <port>', 'port of node 1 for its peers', whole(1, 65_000), 7081)
    .addOption(
      new Option('--engine <engine>', 'where data is kept')
        .choices(['rocksdb', 'memory'])
        .default('rocksdb'),
    )
    .action(async (flags: Flags) => fail(await run(flags, terminal)));
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`allowed: ${min} to ${max}`);
  };
}

async function run(flags: Flags, terminal: Terminal): Promise<number> {
  const { nodes, data: folder, port, peerPort, engine } = flags;
  const command = [process.execPath, ...process.execArgv, process.argv[1]!];
  const cluster = new DevCluster({ nodes, folder, port, peerPort, engine }, command, terminal);
  const interrupts = new Interrupts();
  // When the terminal is closed the nodes still have to be stopped.
  for (const stream of [terminal.stdout, terminal.stderr]) stream.on('error', () => {});
  try {
    await Promise.race([cluster.start(), interrupts.next()]);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  if (interrupts.count === 0) {
    terminal.stdout.write(welcome(cluster, terminal));
    await untilStopped(cluster, interrupts, terminal);
  }
  terminal.stderr.write('stopping the nodes one by one …\n');
  const isCutShort = await Promise.race([
    cluster.stop().then(() => false),
    interrupts.next().then(() => true),
  ]);
  if (isCutShort) await cluster.kill();
  return isCutShort ? exitCodes.failed : exitCodes.ok;
}

/** Ctrl-C, SIGTERM and the end of the terminal, however often. */
class Interrupts {
  count = 0;
  #waiting: (() => void)[] = [];

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        this.count++;
        for (const wake of this.#waiting.splice(0)) wake();
      });
    }
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Until a signal comes, or `q` is typed. Lets go of the terminal: while it is read the process lives on. */
async function untilStopped(
  cluster: DevCluster,
  interrupts: Interrupts,
  terminal: Terminal,
): Promise<void> {
  // Without a terminal nobody types.
  if ((terminal.stdin as NodeJS.ReadStream).isTTY !== true) return interrupts.next();
  const lines = createInterface({ input: terminal.stdin });
  try {
    await Promise.race([interrupts.next(), untilQuit(cluster, lines)]);
  } finally {
    lines.close();
  }
}

/** Obeys what is typed, until that is `q`. */
async function untilQuit(cluster: DevCluster, lines: Interface): Promise<void> {
  for await (const line of lines) if (!(await cluster.obey(line))) return;
  // The end of input is no wish to stop.
  return new Promise(() => {});
}

function welcome(cluster: DevCluster, terminal: Terminal): string {
  const urls = cluster.nodes.map(({ node }) => node.url);
  const [first, second = first] = urls;
  const last = urls.at(-1);
  const isTyping = (terminal.stdin as NodeJS.ReadStream).isTTY === true;
  return `
  ${urls.length} nodes are ready:  ${urls.join('  ')}

  Try it:
    J='content-type: application/json'
    curl -X POST ${first}/collections -H "$J" -d '{"name": "films"}'
    curl -X PUT ${second}/entity/films/alien -H "$J" -d '{"year": 1979}'     write at one node
    curl ${last}/entity/films/alien                                       read at another
    curl ${first}/api/admin/topology                                      who leads
    npx themis shell --url ${urls.join(',')}
${isTyping ? `\n  Type:\n${helpText}` : ''}
  Stop with Ctrl-C.

`;
}
