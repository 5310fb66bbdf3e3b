import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Network } from './network.ts';

interface FakeNode {
  readonly port: number;
  readonly server: Server;
  /** All that arrived, of all connections. */
  received: string;
  readonly accepted: Socket[];
}

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function makeNode(): Promise<FakeNode> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    socket.on('data', (chunk: Buffer) => (node.received += chunk.toString()));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const node: FakeNode = { port, server, received: '', accepted };
  open.push({
    close: () => {
      for (const socket of accepted) socket.destroy();
      server.close();
    },
  });
  return node;
}

async function makeNetwork(count: number, after?: (ms: number, run: () => void) => void) {
  const nodes = await Promise.all(Array.from({ length: count }, makeNode));
  const network = await Network.open(
    nodes.map(({ port }) => port),
    after,
  );
  open.push(network);
  return { nodes, network };
}

/** A connection of `from` to `to`, with all it got back. */
async function dial(network: Network, from: number, to: number) {
  const socket = connect(network.portOf(from, to), '127.0.0.1');
  const end = { socket, received: '', isClosed: false };
  socket.on('data', (chunk: Buffer) => (end.received += chunk.toString()));
  socket.on('close', () => (end.isClosed = true));
  socket.on('error', () => undefined);
  open.push({ close: () => socket.destroy() });
  await once(socket, 'connect');
  return end;
}

/** Turns of the event loop, until it holds; the test's time limit bounds it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test('bytes pass both ways', async () => {
  const { nodes, network } = await makeNetwork(2);
  const end = await dial(network, 0, 1);
  end.socket.write('hello');
  await until(() => nodes[1]!.received === 'hello');
  nodes[1]!.accepted[0]!.write('good day');
  await until(() => end.received === 'good day');
  expect(network.link(0, 1).stats('there')).toEqual({ passedBytes: 5, heldBytes: 0 });
  expect(network.link(0, 1).stats('back')).toEqual({ passedBytes: 8, heldBytes: 0 });
});

test('a cut direction holds what is sent, the other one goes on; healed, all arrives in order', async () => {
  const { nodes, network } = await makeNetwork(2);
  const end = await dial(network, 0, 1);
  end.socket.write('a');
  await until(() => nodes[1]!.received === 'a');
  network.cut(0, 1);
  end.socket.write('b');
  await until(() => network.link(0, 1).stats('there').heldBytes === 1);
  nodes[1]!.accepted[0]!.write('back');
  await until(() => end.received === 'back');
  expect(nodes[1]!.received).toBe('a');
  network.heal();
  end.socket.write('c');
  await until(() => nodes[1]!.received === 'abc');
});

test('the answers on a link are cut with the direction they take', async () => {
  const { nodes, network } = await makeNetwork(2);
  const end = await dial(network, 0, 1);
  end.socket.write('a');
  await until(() => nodes[1]!.received === 'a');
  network.cut(1, 0);
  nodes[1]!.accepted[0]!.write('answer');
  await until(() => network.link(0, 1).stats('back').heldBytes === 6);
  end.socket.write('b');
  await until(() => nodes[1]!.received === 'ab');
  expect(end.received).toBe('');
  network.heal();
  await until(() => end.received === 'answer');
});

test('that a node is gone is not heard through a cut', async () => {
  const { nodes, network } = await makeNetwork(2);
  const end = await dial(network, 0, 1);
  end.socket.write('a');
  await until(() => nodes[1]!.received === 'a');
  network.isolate(1);
  const gone = once(nodes[1]!.accepted[0]!, 'close');
  nodes[1]!.accepted[0]!.resetAndDestroy();
  await gone;
  end.socket.write('b');
  await until(() => network.link(0, 1).stats('there').heldBytes === 1);
  expect(end.isClosed).toBe(false);
  network.heal();
  await until(() => end.isClosed);
});

test('a connection opened through a cut, one way or both, comes about when it heals', async () => {
  const { nodes, network } = await makeNetwork(3);
  network.cutIncoming(0);
  const end = await dial(network, 0, 1);
  end.socket.write('early');
  const other = await dial(network, 1, 2);
  other.socket.write('not cut');
  await until(() => nodes[2]!.received === 'not cut');
  expect(nodes[1]!.accepted).toHaveLength(0);
  network.heal();
  await until(() => nodes[1]!.received === 'early');
});

test('isolating a node leaves the others connected', async () => {
  const { nodes, network } = await makeNetwork(3);
  const ends = [await dial(network, 0, 1), await dial(network, 2, 1), await dial(network, 1, 0)];
  await until(() => nodes[1]!.accepted.length === 2 && nodes[0]!.accepted.length === 1);
  network.isolate(0);
  ends[0]!.socket.write('x');
  ends[2]!.socket.write('y');
  ends[1]!.socket.write('z');
  await until(() => nodes[1]!.received === 'z');
  await until(
    () =>
      network.link(0, 1).stats('there').heldBytes + network.link(1, 0).stats('there').heldBytes ===
      2,
  );
  expect(nodes[0]!.received).toBe('');
});

test('delayed bytes pass when their time has come, in order, also those sent after the delay ended', async () => {
  const due: { ms: number; run: () => void }[] = [];
  const { nodes, network } = await makeNetwork(2, (ms, run) => void due.push({ ms, run }));
  const end = await dial(network, 0, 1);
  await until(() => nodes[1]!.accepted.length === 1);
  network.delayAll(70);
  end.socket.write('a');
  await until(() => due.length === 1);
  expect(due[0]!.ms).toBe(70);
  expect(nodes[1]!.received).toBe('');
  network.heal();
  end.socket.write('b');
  await until(() => network.link(0, 1).stats('there').heldBytes === 2);
  expect(nodes[1]!.received).toBe('');
  due[0]!.run();
  await until(() => nodes[1]!.received === 'ab');
});

test('a node that is replaced is reached at new ports, under the rules of its place', async () => {
  const { nodes, network } = await makeNetwork(3);
  const comes = await makeNode();
  const before = await dial(network, 0, 2);
  const kept = network.portOf(0, 1);
  const left = network.portOf(0, 2);
  await network.replace(2, comes.port);
  await until(() => before.isClosed);
  expect(network.portOf(0, 1)).toBe(kept);
  expect(network.portOf(0, 2)).not.toBe(left);
  const [there, back] = [await dial(network, 0, 2), await dial(network, 2, 1)];
  there.socket.write('to the new one');
  back.socket.write('of the new one');
  await until(() => comes.received === 'to the new one');
  await until(() => nodes[1]!.received === 'of the new one');
  network.isolate(2);
  there.socket.write('x');
  await until(() => network.link(0, 2).stats('there').heldBytes === 1);
});

test('nobody listens: the caller is refused', async () => {
  const { nodes, network } = await makeNetwork(2);
  nodes[1]!.server.close();
  const socket = connect(network.portOf(0, 1), '127.0.0.1');
  open.push({ close: () => socket.destroy() });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
});

test('a slow reader holds the sender back instead of filling memory', async () => {
  const { network } = await makeNetwork(2);
  const end = await dial(network, 0, 1);
  network.cut(0, 1);
  const chunk = Buffer.alloc(64 * 1024);
  let isFull = false;
  while (!isFull) {
    for (let n = 0; n < 100; n++) end.socket.write(chunk);
    isFull = await settles(() => network.link(0, 1).stats('there').heldBytes);
  }
  expect(network.link(0, 1).stats('there').heldBytes).toBeLessThan(1024 * 1024);
  expect(end.socket.writableLength).toBeGreaterThan(0);
});

/** Whether a figure stays as it is for many turns. */
async function settles(read: () => number): Promise<boolean> {
  const before = read();
  for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
  return read() === before && before > 0;
}
