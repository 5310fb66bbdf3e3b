import { themisError } from '@themisdb/protocol';
import { rowsTable } from './topology-table.ts';
import type { Terminal } from '../terminal.ts';
import { writeConfigFiles, type DevClusterOptions } from './config-files.ts';
import { prefixOf, readableLine } from './log-lines.ts';
import { NodeProcess } from './node-process.ts';

const readyWithinMs = 60_000;
const pollMs = 100;

export const helpText = `  k 2   kill node 2 (SIGKILL)          r 2   start it again, or restart it
  s 2   stop it in order (SIGTERM)     t     who leads, and how far each is
  q     stop all                       ?     this
`;

const keepsNothing =
  'its data is in memory and ends with its process, so the others would not believe it any more; --engine rocksdb has nodes that can be started again';

/** Several nodes on this machine, to play with. */
export class DevCluster {
  readonly nodes: readonly NodeProcess[];
  readonly #terminal: Terminal;
  readonly #keepsData: boolean;

  constructor(options: DevClusterOptions, command: readonly string[], terminal: Terminal) {
    this.#terminal = terminal;
    this.#keepsData = options.engine !== 'memory';
    this.nodes = writeConfigFiles(options).map((node) => {
      const prefix = prefixOf(node.id, { hasColor: terminal.hasColor });
      const print = (text: string): void => this.#print(`${prefix} ${text}\n`);
      return new NodeProcess({
        node,
        command,
        onLine: (line) => print(readableLine(line)),
        onEnd: (how) => {
          const next = this.#keepsData ? `; r ${node.id} starts it again` : '';
          print(`ended by itself (${how})${next}`);
        },
      });
    });
  }

  /** Resolves when every node is ready. */
  async start(): Promise<void> {
    for (const node of this.nodes) node.start();
    const endMs = performance.now() + readyWithinMs;
    for (const node of this.nodes) {
      while (!(await node.isReady())) {
        const isLate = performance.now() > endMs;
        if (isLate || !node.isRunning) throw notStarted(node, isLate);
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    }
  }

  /** One after the other: each hands over what it leads to one that is still there. */
  async stop(): Promise<void> {
    for (const node of this.nodes) await node.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')));
  }

  /** A line somebody typed. False when all is to be stopped. */
  async obey(line: string): Promise<boolean> {
    const [verb = '', number = ''] = line.trim().split(/\s+/);
    if (verb === '') return true;
    if (verb === 'q') return false;
    if (verb === 't') await this.#tellTopology();
    else if (verb === '?') this.#print(helpText);
    else await this.#toNode(verb, number);
    return true;
  }

  async #toNode(verb: string, number: string): Promise<void> {
    const node = this.nodes.find(({ node: { id } }) => String(id) === number);
    if (!['k', 'r', 's'].includes(verb) || node === undefined) return this.#print(helpText);
    const name = `node ${node.node.id}`;
    if (verb === 'r' && !this.#keepsData) return this.#print(`${name}: ${keepsNothing}\n`);
    if (verb === 'k') {
      await node.end('SIGKILL');
      this.#print(`${name} is killed\n`);
    } else {
      await node.end('SIGTERM');
      if (verb === 's') this.#print(`${name} is stopped\n`);
      else node.start();
    }
  }

  async #tellTopology(): Promise<void> {
    for (const { node, isRunning } of this.nodes) {
      if (!isRunning) continue;
      try {
        const answer = await fetch(`${node.url}/api/admin/topology`, {
          signal: AbortSignal.timeout(2000),
        });
        return this.#print(rowsTable(await answer.json()));
      } catch {
        // The next one may answer.
      }
    }
    this.#print('no node answers\n');
  }

  #print(text: string): void {
    this.#terminal.stdout.write(text);
  }
}

function notStarted({ node }: NodeProcess, isLate: boolean): Error {
  const why = isLate ? `was not ready within ${readyWithinMs / 1000} s` : 'ended';
  return themisError('CONNECTION_FAILED', {
    message: `node ${node.id} ${why}; its lines above tell why (${node.configFile})`,
  });
}
