import type { Network, NetworkConnection, ThemisError } from '@themisdb/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

export interface NetworkFixture {
  readonly network: Network;
  /** An address to listen on, with port 0. */
  readonly address: string;
  /** Runs a test body; a network on virtual time drives it here. */
  run(body: () => Promise<void>): Promise<void>;
  /** Lets so much time pass that whatever has been sent has arrived. */
  settle(): Promise<void>;
  dispose(): Promise<void>;
}

type Check = (title: string, body: (fixture: NetworkFixture) => Promise<void>) => void;

/** The contract of `Network` as tests, without faults. Every implementation runs it. */
export function runNetworkContract(name: string, make: () => Promise<NetworkFixture>): void {
  describe(`${name} keeps the network contract`, () => {
    let fixture: NetworkFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(() => fixture.dispose());
    const check: Check = (title, body) => {
      test(title, () => fixture.run(() => body(fixture)));
    };
    connecting(check);
    transfer(check);
    backPressure(check);
    endings(check);
  });
}

/** One end, with what it has seen. */
class End {
  readonly connection: NetworkConnection;
  received: number[] = [];
  drains = 0;
  closes: (ThemisError | undefined)[] = [];
  readonly closed: Promise<ThemisError | undefined>;

  constructor(connection: NetworkConnection, onData?: (end: End, bytes: Uint8Array) => void) {
    this.connection = connection;
    this.closed = new Promise((resolve) => {
      connection.start({
        data: (bytes) => {
          for (const byte of bytes) this.received.push(byte);
          onData?.(this, bytes);
        },
        drain: () => this.drains++,
        close: (error) => {
          this.closes.push(error);
          resolve(error);
        },
      });
    });
  }
}

async function rawPair(fixture: NetworkFixture): Promise<[NetworkConnection, NetworkConnection]> {
  const { network, address } = fixture;
  let accept!: (connection: NetworkConnection) => void;
  const accepted = new Promise<NetworkConnection>((resolve) => (accept = resolve));
  const listener = await network.listen(address, accept);
  const near = await network.connect(listener.address);
  const far = await accepted;
  await listener.close();
  return [near, far];
}

async function pair(fixture: NetworkFixture): Promise<[End, End]> {
  const [near, far] = await rawPair(fixture);
  return [new End(near), new End(far)];
}

const filled = (length: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed) % 251);
const failed = { code: 'CONNECTION_FAILED', kind: 'unavailable', retryable: true };

async function until(fixture: NetworkFixture, holds: () => boolean): Promise<void> {
  for (let i = 0; !holds(); i++) {
    if (i > 1_000) throw new Error('it does not come to hold');
    await fixture.settle();
  }
}

function connecting(check: Check): void {
  check('the listener names the port it really has', async ({ network, address }) => {
    const one = await network.listen(address, () => {});
    const two = await network.listen(address, () => {});
    expect(one.address).toMatch(/:[1-9]\d*$/);
    expect(two.address).not.toBe(one.address);
    const taken = network.listen(one.address, () => {});
    await expect(taken).rejects.toMatchObject(failed);
    await Promise.all([one.close(), two.close()]);
    const again = await network.listen(one.address, () => {});
    expect(again.address).toBe(one.address);
    await again.close();
  });

  check('where nobody listens the connection is refused', async ({ network, address }) => {
    const listener = await network.listen(address, () => {});
    await listener.close();
    await expect(network.connect(listener.address)).rejects.toMatchObject(failed);
  });

  check('an aborted attempt rejects with the reason', async ({ network, address }) => {
    const listener = await network.listen(address, (connection) => connection.destroy());
    const before = network.connect(listener.address, { signal: AbortSignal.abort(new Error('a')) });
    await expect(before).rejects.toThrow('a');
    const controller = new AbortController();
    const during = network.connect(listener.address, { signal: controller.signal });
    controller.abort(new Error('b'));
    await expect(during).rejects.toThrow('b');
    await listener.close();
  });

  check('what stands outlives the listener', async (fixture) => {
    const [near, far] = await pair(fixture);
    near.connection.write(filled(3));
    await until(fixture, () => far.received.length === 3);
    near.connection.destroy();
    await Promise.all([near.closed, far.closed]);
  });
}

function transfer(check: Check): void {
  check('bytes arrive in order, both ways', async (fixture) => {
    const [near, far] = await pair(fixture);
    const parts = Array.from({ length: 100 }, (_, i) => filled((i * 131) % 3_000, i));
    const all = parts.flatMap((part) => [...part]);
    for (const part of parts) {
      near.connection.write(part);
      far.connection.write(part);
    }
    const isThere = ({ received }: End): boolean => received.length === all.length;
    await until(fixture, () => isThere(near) && isThere(far));
    expect(near.received).toEqual(all);
    expect(far.received).toEqual(all);
    near.connection.end();
    await Promise.all([near.closed, far.closed]);
  });

  check('nothing is lost before the start', async (fixture) => {
    const [near, far] = await rawPair(fixture);
    const first = new End(near);
    near.write(filled(10));
    await fixture.settle();
    near.write(filled(10));
    near.end();
    await fixture.settle();
    const second = new End(far);
    expect(await second.closed).toBeUndefined();
    expect(second.received).toEqual([...filled(10), ...filled(10)]);
    await first.closed;
  });

  check('no call re-enters its caller', async (fixture) => {
    const [near, far] = await rawPair(fixture);
    let isInside = false;
    const seen: boolean[] = [];
    const echo = new End(far, ({ connection }, bytes) => void connection.write(bytes));
    const end = new End(near, ({ connection }, bytes) => {
      seen.push(isInside);
      isInside = true;
      if (seen.length < 5) connection.write(bytes);
      isInside = false;
    });
    isInside = true;
    near.write(filled(1));
    isInside = false;
    await until(fixture, () => seen.length >= 5);
    near.destroy();
    await Promise.all([end.closed, echo.closed]);
    expect(seen).not.toContain(true);
  });
}

function backPressure(check: Check): void {
  check('a reader that pauses stops the writer, and nothing is lost', async (fixture) => {
    const [near, far] = await pair(fixture);
    far.connection.pause();
    await fixture.settle();
    const before = far.received.length;
    let written = 0;
    const part = filled(65_536);
    // The operating system takes some megabytes before it says no for good.
    for (let i = 0; i < 400; i++) {
      const goOn = near.connection.write(part);
      written += part.length;
      if (!goOn) await fixture.settle();
      if (near.connection.bufferedBytes > 4_000_000) break;
    }
    expect(near.connection.bufferedBytes).toBeGreaterThan(0);
    expect(near.connection.write(filled(1))).toBe(false);
    expect(far.received.length).toBe(before);
    const drains = near.drains;
    far.connection.resume();
    await until(fixture, () => far.received.length === written + 1);
    await until(fixture, () => near.drains > drains);
    expect(near.connection.bufferedBytes).toBe(0);
    expect(near.connection.write(filled(1))).toBe(true);
    near.connection.end();
    await Promise.all([near.closed, far.closed]);
  });
}

function endings(check: Check): void {
  check('an end comes after all that was written, without an error', async (fixture) => {
    const [near, far] = await pair(fixture);
    for (let i = 0; i < 20; i++) near.connection.write(filled(50_000, i));
    near.connection.end();
    expect(await far.closed).toBeUndefined();
    expect(far.received.length).toBe(1_000_000);
    expect(await near.closed).toBeUndefined();
    expect([near.closes.length, far.closes.length]).toEqual([1, 1]);
  });

  check('destroy closes this side without an error, on a later turn', async (fixture) => {
    const [near, far] = await pair(fixture);
    near.connection.destroy();
    expect(near.closes).toEqual([]);
    expect(await near.closed).toBeUndefined();
    const error = await far.closed;
    if (error !== undefined) expect(error).toMatchObject(failed);
    near.connection.destroy();
    await fixture.settle();
    expect([near.closes.length, far.closes.length]).toEqual([1, 1]);
  });

  check('writes after the end are dropped', async (fixture) => {
    const [near, far] = await pair(fixture);
    near.connection.end();
    expect(near.connection.write(filled(5))).toBe(false);
    await Promise.all([near.closed, far.closed]);
    expect(near.connection.write(filled(5))).toBe(false);
    expect(far.connection.write(filled(5))).toBe(false);
    expect(far.received).toEqual([]);
  });

  check('a connection that ended before its start says so', async (fixture) => {
    const [near, far] = await rawPair(fixture);
    const end = new End(near);
    near.destroy();
    await end.closed;
    await fixture.settle();
    const late = new End(far);
    await late.closed;
    expect(late.closes.length).toBe(1);
  });
}
