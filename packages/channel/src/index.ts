export type * from './contract.ts';
export { defaultLimits, type ChannelLimits } from './limits.ts';
export { makeLocalChannel, openChannel, type ChannelOptions } from './open.ts';
export type { ChannelEnv } from './channel-end.ts';
export { goodbyeReasons, type GoodbyeReason } from './wire/faults.ts';
