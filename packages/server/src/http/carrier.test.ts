import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpCarrier } from './carrier.ts';

// Two requests on one connection: the second answer waits for the first, which never comes.
let client: Socket;
let second: HttpCarrier;
let stop: () => void;

beforeEach(async () => {
  const server = createServer();
  const carriers: HttpCarrier[] = [];
  const bothCame = new Promise<void>((resolve) => {
    server.on('request', (request, response) => {
      if (carriers.push(new HttpCarrier(request, response)) === 2) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  const request = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
  client.write(request + request);
  await bothCame;
  second = carriers[1]!;
  stop = () => {
    client.destroy();
    server.close();
  };
});
afterEach(() => stop());

const piece = 'x'.repeat(1024 * 1024);

test('an answer that waits behind another hears that its connection ended', async () => {
  const closed = new Promise<void>((resolve) => second.onClose(resolve));
  let taken = 0;
  second.onClose(() => taken++);
  const unwanted = (): void => void (taken += 100);
  second.onClose(unwanted);
  second.offClose(unwanted);
  second.begin(200, []);
  const written = second.write(piece, { stallMs: 1, after: () => ({ cancel: () => undefined }) });
  expect(written).toBeDefined();
  client.destroy();
  await Promise.all([closed, written]);
  expect([second.isGone, taken]).toEqual([true, 1]);
});

test('nobody waits any more for an answer that was dropped', async () => {
  second.begin(200, []);
  let stall = (): void => undefined;
  const after = (_: number, run: () => void): { cancel(): void } => {
    stall = run;
    return { cancel: () => undefined };
  };
  const written = second.write(piece, { stallMs: 1, after });
  stall();
  await written;
  expect(second.isGone).toBe(true);
});
