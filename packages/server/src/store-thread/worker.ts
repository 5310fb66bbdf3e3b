import { workerData, type MessagePort } from 'node:worker_threads';
import { utf8Decode, emptyBytes, type InvariantError } from '@themisdb/base';
import { openChannel, portConnection } from '@themisdb/channel';
import { ForwardedCarrier } from '../cluster/forwarded-carrier.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { makeJsonLog } from '../env/index.ts';
import { nodeClock } from '../env/node-clock.ts';
import { channelPort } from '../env/node-port.ts';
import { nodeTimers } from '../env/node-timers.ts';
import { brokenInvariant } from '../http/broken-invariant.ts';
import { exitForDefect } from '../defect-exit.ts';
import { DatabaseNode } from '../node.ts';
import { limitsFor } from './limits.ts';

// The thread that owns engine, log and replica, and runs every request. The main thread brings them.

const { port, config } = workerData as {
  readonly port: MessagePort;
  readonly config: ServerConfig;
};

let opened: DatabaseNode | undefined;

function node(): DatabaseNode {
  if (opened === undefined) throw new Error('the node is asked before it was opened');
  return opened;
}

/** A command without an answer but that it was carried out. */
function command(run: (text: string) => unknown): (body: Uint8Array) => Promise<Uint8Array> {
  return async (body) => {
    await run(utf8Decode(body));
    return emptyBytes;
  };
}

await openChannel(portConnection(channelPort(port), 'main'), {
  env: { clock: nodeClock, timers: nodeTimers, log: makeJsonLog({ level: config.logLevel }) },
  identity: { nodeId: 0, clusterId: 'process', role: 'store' },
  limits: limitsFor(config),
  onDefect(error) {
    const broken: InvariantError | undefined = brokenInvariant(error);
    if (broken !== undefined) exitForDefect();
  },
  handlers: {
    call: {
      open: command(async () => (opened = await DatabaseNode.open(config, {}))),
      serveAt: command((url) => node().serveAt(url)),
      reload: command((text) => node().reload(JSON.parse(text) as ServerConfig)),
      drain: command(() => node().drain()),
      cutShort: command(() => node().cutShort()),
      close: command(() => node().close()),
    },
    duplex: {
      request(head, chunks, context) {
        const carrier = new ForwardedCarrier(head, chunks, context);
        void node()
          .handle(carrier)
          .then(() => carrier.release());
        return carrier.answer;
      },
    },
  },
});
