import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface DevNode {
  readonly id: number;
  readonly url: string;
  readonly folder: string;
  readonly configFile: string;
}

export interface DevClusterOptions {
  readonly nodes: number;
  /** Holds a folder and a configuration file for each node. */
  readonly folder: string;
  /** HTTP port of node 1; the others follow. */
  readonly port: number;
  /** Port of node 1 for the other nodes; the others follow. */
  readonly peerPort: number;
  readonly engine: string;
}

/** Writes what each node is started with: a file to read, and to start that node by hand. */
export function writeConfigFiles(options: DevClusterOptions): DevNode[] {
  const { nodes, port, peerPort } = options;
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true });
  const ids = Array.from({ length: nodes }, (_, n) => n + 1);
  const peers = ids
    .map(
      (id) =>
        `    - { id: ${id}, address: "127.0.0.1:${peerPort + id - 1}", url: "http://127.0.0.1:${port + id - 1}" }\n`,
    )
    .join('');
  return ids.map((id) => {
    const node: DevNode = {
      id,
      url: `http://127.0.0.1:${port + id - 1}`,
      folder: join(folder, `node${id}`),
      configFile: join(folder, `node${id}.yaml`),
    };
    const text = `# Written by themis dev-cluster at every start.
port: ${port + id - 1}
data: ${JSON.stringify(node.folder)}
engine: ${options.engine}
cluster:
  id: dev
  node: ${id}
  listen: "127.0.0.1:${peerPort + id - 1}"
  peers:
${peers}`;
    writeFileSync(node.configFile, text);
    return node;
  });
}
