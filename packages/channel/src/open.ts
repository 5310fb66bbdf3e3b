import type { NetworkConnection } from '@themisdb/base';
import { ByteLink } from './carriers/byte-link.ts';
import { LocalLink } from './carriers/local-link.ts';
import { ChannelEnd, type ChannelEndOptions, type ChannelEnv } from './channel-end.ts';
import type { ChannelHandlers, PeerIdentity, ShardChannel } from './contract.ts';
import { makeLimits, type ChannelLimits } from './limits.ts';
import { servedOperations } from './operations.ts';
import { FrameFault } from './wire/faults.ts';
import { protocolVersions, type Hello } from './wire/hello.ts';

export interface ChannelOptions {
  readonly env: ChannelEnv;
  /** Who this side is. A side of another cluster is refused. */
  readonly identity: PeerIdentity;
  /** What this side serves. */
  readonly handlers?: ChannelHandlers;
  readonly limits?: Partial<ChannelLimits>;
  /** The node that must answer; another is refused. */
  readonly expectNodeId?: number | undefined;
  /** Gets what a handler threw that is no ThemisError, after it was logged: where a process may decide to end. */
  readonly onDefect?: (error: unknown) => void;
}

/**
 * Says hello on a connection that was not started yet, made or accepted; resolves when the other side
 * has answered. Rejects with `PROTOCOL_ERROR` when one side refuses the other (`details.reason`,
 * `details.by` is `us` or `peer`) and with `CONNECTION_FAILED`.
 */
export function openChannel(
  connection: NetworkConnection,
  options: ChannelOptions,
): Promise<ShardChannel> {
  const settings = settingsOf(options);
  return new Promise((resolve, reject) => {
    new ByteLink(connection, {
      env: options.env,
      limits: settings.limits,
      hello: helloOf(options.identity, settings),
      welcome(hello, link) {
        mustBeExpected(hello, options);
        const channel = new ChannelEnd(link, hello, settings);
        resolve(channel);
        return channel;
      },
      refused: reject,
    });
  });
}

/** The two ends of a channel within one thread. Frames and bytes are handed over as they are. */
export function makeLocalChannel(
  first: ChannelOptions,
  second: ChannelOptions,
): [ShardChannel, ShardChannel] {
  const [a, b] = [settingsOf(first), settingsOf(second)];
  const [linkA, linkB] = LocalLink.pair();
  const endA = new ChannelEnd(linkA, helloOf(second.identity, b), a);
  const endB = new ChannelEnd(linkB, helloOf(first.identity, a), b);
  linkA.attach(endA);
  linkB.attach(endB);
  return [endA, endB];
}

function settingsOf({ env, handlers = {}, limits, onDefect }: ChannelOptions): ChannelEndOptions {
  return {
    env: { clock: env.clock, timers: env.timers, log: env.log },
    limits: makeLimits(limits),
    served: servedOperations(handlers),
    onDefect: onDefect ?? (() => {}),
  };
}

function helloOf(identity: PeerIdentity, { limits, served }: ChannelEndOptions): Hello {
  const { frameBytesMax, messageBytesMax, windowBytes, callsMax } = limits;
  return {
    versionMin: protocolVersions.min,
    versionMax: protocolVersions.max,
    identity,
    frameBytesMax,
    messageBytesMax,
    windowBytes,
    callsMax,
    operations: served.map(({ kind, name }) => ({ kind, name })),
  };
}

function mustBeExpected({ identity }: Hello, options: ChannelOptions): void {
  const { clusterId } = options.identity;
  if (identity.clusterId !== clusterId) {
    const message = `cluster ${identity.clusterId} there, ${clusterId} here`;
    throw new FrameFault('wrong-cluster', message);
  }
  const { expectNodeId } = options;
  if (expectNodeId === undefined || expectNodeId === identity.nodeId) return;
  const message = `node ${identity.nodeId} answers where node ${expectNodeId} was expected`;
  throw new FrameFault('wrong-node', message);
}
