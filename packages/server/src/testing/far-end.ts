import { once } from 'node:events';
import { utf8Encode } from '@themisdb/base';
import type { CallContext, ChannelHandlers, ChannelOptions, ShardChannel } from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';

/** What the far end saw so far; the call `seen` tells it as JSON. */
export interface Seen {
  /** Codes of the errors with which signals of handlers aborted. */
  readonly aborted: string[];
  readonly notes: number[];
  chunksMade: number;
  streamsLeft: number;
}

export const farCallsMax = 8;
export const farDeathCode = 3;

/** A channel's end in another thread or process, for `runFarEndTests`: what it serves, and its limits. */
export function farEnd(channel: () => ShardChannel): Omit<ChannelOptions, 'env'> {
  const seen: Seen = { aborted: [], notes: [], chunksMade: 0, streamsLeft: 0 };
  return {
    identity: { nodeId: 2, clusterId: 'test', role: 'far' },
    handlers: handlersOf(seen, channel),
    limits: { callsMax: farCallsMax, helloTimeoutMs: 600_000, deadAfterMs: 600_000 },
  };
}

function handlersOf(seen: Seen, channel: () => ShardChannel): ChannelHandlers {
  return {
    call: {
      reverse: (body) => body.slice().reverse(),
      seen: () => utf8Encode(JSON.stringify(seen)),
      askBack: (body) => channel().call('double', body),
      refuse() {
        throw themisError('DISK_FULL', { message: 'no space', details: { free: 0 } });
      },
      broken() {
        throw new TypeError('secret of the row');
      },
      async hang(_, { signal }: CallContext) {
        if (!signal.aborted) await once(signal, 'abort');
        seen.aborted.push((signal.reason as { code: string }).code);
        throw signal.reason;
      },
      die: () => process.exit(farDeathCode),
    },
    stream: {
      async *count(body) {
        for (let i = 0; i < body[0]!; i++) yield new Uint8Array(10_000).fill(i);
      },
      async *endless() {
        try {
          for (;;) {
            seen.chunksMade++;
            yield new Uint8Array(10_000);
          }
        } finally {
          seen.streamsLeft++;
        }
      },
    },
    duplex: { echo: async (head, chunks) => ({ head, chunks }) },
    message: { note: (body) => void seen.notes.push(body[0]!) },
  };
}
