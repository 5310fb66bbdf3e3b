import { MessageChannel, Worker } from 'node:worker_threads';
import { assert, emptyBytes, utf8Encode } from '@themisdb/base';
import { openChannel, portConnection, type ShardChannel } from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import { checkCluster } from '../config/cluster.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { defectExitCode } from '../defect-exit.ts';
import { makeJsonLog } from '../env/index.ts';
import { nodeClock } from '../env/node-clock.ts';
import { channelPort } from '../env/node-port.ts';
import { nodeTimers } from '../env/node-timers.ts';
import { HttpFront } from '../http-front.ts';
import type { StartOptions } from '../node.ts';
import { once, type RunningServer, type StopOptions } from '../running-server.ts';
import { limitsFor } from './limits.ts';
import { pass } from './pass.ts';

/**
 * HTTP here, everything else in a thread of its own. When that thread ends by itself so does the process,
 * with its exit code. The options name things of this thread and are not taken.
 */
export async function startInWorker(
  config: ServerConfig,
  options: StartOptions,
): Promise<RunningServer> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  assert(given.length === 0, () => `not with store.thread worker: ${given.map(([name]) => name)}`);
  const env = {
    clock: nodeClock,
    timers: nodeTimers,
    log: makeJsonLog({ level: config.logLevel }),
  };
  const thread = startThread(config);
  const channel = await openChannel(portConnection(channelPort(thread.port), 'store'), {
    env,
    identity: { nodeId: 0, clusterId: 'process', role: 'http' },
    limits: limitsFor(config),
  });
  const tell = async (command: string, text?: string): Promise<void> => {
    await channel.call(command, text === undefined ? emptyBytes : utf8Encode(text));
  };
  /** Nobody waits for it: that it failed stands in the log. */
  const tellLater = (command: string, text?: string): void => {
    tell(command, text).catch((error: unknown) => {
      env.log.write('error', 'a command to the store thread failed', {
        command,
        error: String(error),
      });
    });
  };
  try {
    await tell('open');
    const front = await openFront(config, env, channel, tell);
    await tell('serveAt', front.url);
    return {
      url: front.url,
      port: front.port,
      get database(): never {
        throw themisError('NOT_IMPLEMENTED', {
          message: 'the database is in another thread (store.thread worker): reach it over HTTP',
        });
      },
      reload: (next) => {
        checkCluster(next.cluster);
        tellLater('reload', JSON.stringify(next));
      },
      stop: once(async ({ graceMs = 30_000 }: StopOptions = {}) => {
        await tell('drain');
        const timer = env.timers.after(graceMs, () => tellLater('cutShort'));
        await front.close(graceMs);
        await tell('close');
        timer.cancel();
        await thread.end(channel);
      }),
    };
  } catch (error) {
    await thread.end(channel);
    throw error;
  }
}

async function openFront(
  config: ServerConfig,
  env: Parameters<typeof pass>[0]['env'],
  channel: ShardChannel,
  tell: (command: string) => Promise<void>,
): Promise<HttpFront> {
  try {
    return await HttpFront.open(config, env.timers, (carrier) =>
      pass({ channel, env, config }, carrier),
    );
  } catch (error) {
    await tell('close');
    throw error;
  }
}

function startThread(config: ServerConfig): {
  readonly port: MessageChannel['port1'];
  end(channel: ShardChannel): Promise<void>;
} {
  const { port1, port2 } = new MessageChannel();
  const isSource = import.meta.url.endsWith('.ts');
  const file = new URL(isSource ? './worker.ts' : './worker.js', import.meta.url);
  const worker = new Worker(file, {
    workerData: { port: port2, config },
    transferList: [port2],
  });
  let isOver = false;
  // What a thread throws and nobody catches ends it with code 1, after this event.
  worker.on('error', (error) => {
    process.stderr.write(`${error.stack ?? error.message}\n`);
    if (!isOver) process.exit(defectExitCode);
  });
  worker.on('exit', (code) => {
    if (!isOver) process.exit(code);
  });
  return {
    port: port1,
    async end(channel) {
      isOver = true;
      await channel.close();
      await worker.terminate();
    },
  };
}
