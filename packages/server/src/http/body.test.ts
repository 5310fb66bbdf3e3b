import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { readBody, streamBody } from './body.ts';

/** A request whose whole body has arrived, and whose client left before anybody read it. */
async function leftRequest(): Promise<IncomingMessage> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const arrived = new Promise<IncomingMessage>((resolve) => server.once('request', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}');
  const request = await arrived;
  const closed = new Promise((resolve) => request.once('close', resolve));
  socket.destroy();
  await closed;
  server.close();
  return request;
}

const cutOff = { code: 'BAD_REQUEST', message: 'the connection ended within the body' };

test('a body that is asked for after the client left is refused, and not waited for', async () => {
  const options = { bytesMax: 100, receiveMs: 1000, now: () => 0, begin: () => undefined };
  await expect(readBody(await leftRequest(), options)).rejects.toMatchObject(cutOff);
  await expect(streamBody(await leftRequest()).next()).rejects.toMatchObject(cutOff);
});
