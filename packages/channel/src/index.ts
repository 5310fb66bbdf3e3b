export type * from './contract.ts';
export { defaultLimits, type ChannelLimits } from './limits.ts';
export { makeLocalChannel, openChannel, type ChannelOptions } from './open.ts';
export type { ChannelEnv } from './channel-end.ts';
export { goodbyeReasons, type GoodbyeReason } from './wire/faults.ts';
export type { Peer, PeerOptions, PeerState } from './peer.ts';
export { Peers } from './peers.ts';
export { serveChannels, type ChannelServer, type ServeOptions } from './serve.ts';
export { portConnection, type ChannelPort, type PortMessage } from './carriers/port-connection.ts';
