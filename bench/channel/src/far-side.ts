import { createServer, type AddressInfo, type Socket } from 'node:net';
import { isMainThread, parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { silentLog, type NetworkConnection } from '@themisdb/base';
import {
  openChannel,
  portConnection,
  type ChannelHandlers,
  type ChannelOptions,
} from '@themisdb/channel';
import { channelPort, makeNodeEnv, nodeNetwork } from '@themisdb/server/env';
import { tmpdir } from 'node:os';

/** The serving side, in a process or a thread of its own. Run without a parent it does nothing. */
const { clock, timers } = makeNodeEnv({ dataRoot: tmpdir(), log: silentLog });
export const env: ChannelOptions['env'] = { clock, timers, log: silentLog };

let received = 0;

const handlers: ChannelHandlers = {
  call: {
    echo: (body) => body,
    later: async (body) => body,
    received: () => new TextEncoder().encode(String(received)),
    cpu: () => new TextEncoder().encode(JSON.stringify(process.cpuUsage())),
  },
  message: {
    note: () => {
      received++;
    },
  },
  stream: {
    async *bytes(body) {
      const [count, size] = JSON.parse(new TextDecoder().decode(body)) as [number, number];
      const chunk = new Uint8Array(size);
      for (let i = 0; i < count; i++) yield chunk;
    },
  },
};

export function open(connection: NetworkConnection, serve: boolean) {
  return openChannel(connection, {
    env,
    identity: { nodeId: serve ? 2 : 1, clusterId: 'bench', role: 'node' },
    handlers: serve ? handlers : {},
    limits: { messagesBytesMax: 1 << 22 },
  });
}

function echo(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('error', () => {});
}

async function serveTcp(): Promise<void> {
  const listener = await nodeNetwork.listen(
    '127.0.0.1:0',
    (connection) => void open(connection, true),
  );
  const raw = createServer(echo);
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  process.send!({ channel: listener.address, raw: (raw.address() as AddressInfo).port });
  process.on('message', () => process.send!(process.cpuUsage()));
  process.on('disconnect', () => process.exit(0));
}

if (process.env['THEMIS_BENCH_FAR'] === '1' && isMainThread) await serveTcp();
if (!isMainThread && parentPort !== null) {
  const { port, raw } = workerData as { port: MessagePort; raw: MessagePort };
  raw.on('message', (bytes: Uint8Array<ArrayBuffer>) => raw.postMessage(bytes, [bytes.buffer]));
  await open(portConnection(channelPort(port), 'near'), true);
}
