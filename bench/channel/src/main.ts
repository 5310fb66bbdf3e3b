import { fork, type ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { cpus } from 'node:os';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { makeLocalChannel, portConnection, type ShardChannel } from '@themisdb/channel';
import { channelPort, nodeNetwork } from '@themisdb/server/env';
import { env, open } from './far-side.ts';

/**
 * `npm run bench:channel`: the channel beside what it stands on. Counted is the processor time of both
 * ends, which are two processes over loopback TCP, or two threads over a message port. The raw figures
 * send the same bytes over the same socket or port without frames, calls or promises.
 */
const farSide = new URL('./far-side.ts', import.meta.url);
const BODY_BYTES = 100;
const ROUNDS = 5;

interface Figure {
  readonly name: string;
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

type CpuMicros = () => Promise<number>;

const total = ({ user, system }: NodeJS.CpuUsage): number => user + system;
const ownCpu: CpuMicros = async () => total(process.cpuUsage());

/** The median of some rounds, after one to warm up. */
async function measure(
  name: string,
  cpu: CpuMicros,
  round: () => Promise<number>,
): Promise<Figure> {
  await round();
  const rounds: Figure[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const [cpuBefore, startMs] = [await cpu(), performance.now()];
    const events = await round();
    const seconds = (performance.now() - startMs) / 1_000;
    const cpuSeconds = ((await cpu()) - cpuBefore) / 1e6;
    rounds.push({ name, perCpuSecond: events / cpuSeconds, perSecond: events / seconds });
  }
  rounds.sort((a, b) => a.perCpuSecond - b.perCpuSecond);
  return rounds[Math.floor(ROUNDS / 2)]!;
}

/** `inFlight` callers, each with its next call once its last is answered. */
function calls(channel: ShardChannel, operation: string, inFlight: number, count: number) {
  const body = new Uint8Array(BODY_BYTES).fill(7);
  const caller = async (): Promise<void> => {
    for (let i = 0; i < count / inFlight; i++) await channel.call(operation, body);
  };
  return async (): Promise<number> => {
    await Promise.all(Array.from({ length: inFlight }, caller));
    return count;
  };
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One-way messages in bursts of `burst` a turn, until all have been received. */
function messages(channel: ShardChannel, burst: number, count: number) {
  const body = new Uint8Array(300).fill(7);
  const received = async (): Promise<number> =>
    Number(new TextDecoder().decode(await channel.call('received', new Uint8Array(0))));
  return async (): Promise<number> => {
    const before = await received();
    let sent = 0;
    while (sent < count) {
      for (let i = 0; i < burst; i++) if (channel.send('note', body)) sent++;
      await breath();
    }
    while ((await received()) < before + sent) await breath();
    return sent;
  };
}

function streamed(channel: ShardChannel, count: number, size: number) {
  const request = new TextEncoder().encode(JSON.stringify([count, size]));
  return async (): Promise<number> => {
    let bytes = 0;
    for await (const chunk of channel.stream('bytes', request)) bytes += chunk.length;
    return bytes / 1e6;
  };
}

/** Bodies of `BODY_BYTES` back and forth; `together` in one write, or each in its own. */
function rawTcp(socket: Socket, inFlight: number, count: number, together: boolean) {
  const one = Buffer.alloc(BODY_BYTES, 7);
  return (): Promise<number> =>
    new Promise((resolve) => {
      let [back, sent] = [0, 0];
      const send = (messages: number): void => {
        const due = Math.min(messages, count - sent);
        sent += due;
        if (together && due > 0) socket.write(Buffer.alloc(BODY_BYTES * due, 7));
        else for (let i = 0; i < due; i++) socket.write(one);
      };
      socket.removeAllListeners('data');
      socket.on('data', (bytes) => {
        const before = Math.floor(back / BODY_BYTES);
        back += bytes.length;
        const answered = Math.floor(back / BODY_BYTES);
        if (answered >= count) resolve(count);
        else send(answered - before);
      });
      send(inFlight);
    });
}

function rawPort(port: MessagePort, inFlight: number, count: number) {
  return (): Promise<number> =>
    new Promise((resolve) => {
      let [back, sent] = [0, 0];
      const send = (): void => {
        if (sent++ >= count) return;
        const bytes = new Uint8Array(BODY_BYTES);
        port.postMessage(bytes, [bytes.buffer]);
      };
      port.removeAllListeners('message');
      port.on('message', () => {
        if (++back === count) resolve(count);
        else send();
      });
      for (let i = 0; i < inFlight; i++) send();
    });
}

function ask<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
}

async function measureTcp(): Promise<Figure[]> {
  const child = fork(farSide, { env: { ...process.env, THEMIS_BENCH_FAR: '1' } });
  const { channel: address, raw } = await ask<{ channel: string; raw: number }>(child);
  const cpu: CpuMicros = async () => {
    const answer = ask<NodeJS.CpuUsage>(child);
    child.send('cpu');
    return total(await answer) + total(process.cpuUsage());
  };
  const channel = await open(await nodeNetwork.connect(address), false);
  const socket = connect(raw, '127.0.0.1').setNoDelay(true);
  const figures = [
    await measure('TCP, raw echo, 1 in flight', cpu, rawTcp(socket, 1, 20_000, false)),
    await measure('TCP, call, 1 in flight', cpu, calls(channel, 'echo', 1, 20_000)),
    await measure('TCP, raw echo, 64, each its own write', cpu, rawTcp(socket, 64, 100_000, false)),
    await measure('TCP, raw echo, 64, gathered', cpu, rawTcp(socket, 64, 300_000, true)),
    await measure('TCP, call, 64 in flight', cpu, calls(channel, 'echo', 64, 200_000)),
    await measure('TCP, call, 64, handler async', cpu, calls(channel, 'later', 64, 200_000)),
    await measure('TCP, call, 512 in flight', cpu, calls(channel, 'echo', 512, 409_600)),
    await measure('TCP, messages of 300 B, 64 a turn', cpu, messages(channel, 64, 500_000)),
    await measure('TCP, messages of 300 B, 1 a turn', cpu, messages(channel, 1, 100_000)),
    await measure('TCP, stream, MB in 64 KiB chunks', cpu, streamed(channel, 8_000, 65_536)),
  ];
  socket.destroy();
  await channel.close();
  child.disconnect();
  return figures;
}

async function measurePort(): Promise<Figure[]> {
  const [main, raw] = [new MessageChannel(), new MessageChannel()];
  const worker = new Worker(farSide, {
    workerData: { port: main.port2, raw: raw.port2 },
    transferList: [main.port2, raw.port2],
  });
  const channel = await open(portConnection(channelPort(main.port1), 'worker'), false);
  const figures = [
    await measure('port, raw echo, 1 in flight', ownCpu, rawPort(raw.port1, 1, 20_000)),
    await measure('port, call, 1 in flight', ownCpu, calls(channel, 'echo', 1, 20_000)),
    await measure('port, raw echo, 64 in flight', ownCpu, rawPort(raw.port1, 64, 100_000)),
    await measure('port, call, 64 in flight', ownCpu, calls(channel, 'echo', 64, 200_000)),
    await measure('port, messages of 300 B, 64 a turn', ownCpu, messages(channel, 64, 500_000)),
    await measure('port, stream, MB in 64 KiB chunks', ownCpu, streamed(channel, 8_000, 65_536)),
  ];
  await channel.close();
  raw.port1.close();
  await worker.terminate();
  return figures;
}

async function measureLocal(): Promise<Figure[]> {
  const identity = { nodeId: 1, clusterId: 'bench', role: 'node' };
  const handlers = { call: { echo: (body: Uint8Array): Uint8Array => body } };
  const [channel] = makeLocalChannel({ env, identity }, { env, identity, handlers });
  return [
    await measure('same thread, call, 1 in flight', ownCpu, calls(channel, 'echo', 1, 200_000)),
    await measure('same thread, call, 64 in flight', ownCpu, calls(channel, 'echo', 64, 400_000)),
  ];
}

const only = process.argv[2];
const parts = { tcp: measureTcp, port: measurePort, local: measureLocal };
const [processor] = cpus();
console.log(
  `machine: ${cpus().length} × ${processor?.model.trim() ?? 'unknown'}, Node ${process.version}, bodies of ${BODY_BYTES} bytes\n`,
);
console.log('| | per CPU-second, both ends | per second |\n|---|---:|---:|');
const number = (value: number): string => Math.round(value).toLocaleString('en');
for (const [name, run] of Object.entries(parts)) {
  if (only !== undefined && only !== name) continue;
  for (const figure of await run()) {
    console.log(
      `| ${figure.name} | ${number(figure.perCpuSecond)} | ${number(figure.perSecond)} |`,
    );
  }
}
