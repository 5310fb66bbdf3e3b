export type * from './contract.ts';
export { decodeBatch, decodeConfState, encodeBatch, encodeConfState } from './message-codec.ts';
export { openReplica, type OpenReplicaOptions } from './open.ts';
export { defaultTiming, type Timing } from './timing.ts';
