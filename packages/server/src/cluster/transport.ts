import { isThemisError, utf8Decode, utf8Encode, type Log } from '@themisdb/base';
import type { CallContext, ChannelHandlers, Peer } from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import {
  decodeBatch,
  encodeBatch,
  type RaftBatch,
  type RaftTransport,
  type SnapshotRequest,
} from '@themisdb/replication';

/** What one frame carries of a batch; a longer one goes in several. */
const pieceBytesMax: number = 8 * 1024 * 1024;

export interface TransportOptions {
  readonly log: Log;
  readonly peerOf: (id: number) => Peer | undefined;
}

/** Raft between the nodes of a cluster: messages one way, snapshots as streams. */
export class ChannelTransport implements RaftTransport {
  readonly #options: TransportOptions;
  receive: RaftTransport['receive'] = () => {};
  peerDown: (id: number) => void = () => {};
  /** Since the start. */
  snapshotsFetched = 0;
  snapshotsServed = 0;
  serveSnapshot: RaftTransport['serveSnapshot'] = () => {
    throw themisError('SNAPSHOT_GONE', { message: 'this node has just started' });
  };

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** To be served on every channel. Who sent something is what the channel says, not the message. */
  get handlers(): ChannelHandlers {
    return {
      message: { raft: (body, peer) => this.#received(peer.nodeId, body) },
      stream: { snapshot: (body, context) => this.#serve(body, context) },
    };
  }

  send(to: number, batch: RaftBatch): void {
    const peer = this.#options.peerOf(to);
    if (peer?.channel === undefined) return;
    for (const piece of pieces(batch)) peer.send('raft', encodeBatch(piece));
  }

  async *fetchSnapshot(
    from: number,
    request: SnapshotRequest,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const peer = this.#options.peerOf(from);
    if (peer === undefined) {
      throw themisError('SNAPSHOT_GONE', { message: `node ${from} is not among cluster.peers` });
    }
    yield* peer.stream('snapshot', encodeRequest(request), { signal });
    this.snapshotsFetched++;
  }

  #received(from: number, body: Uint8Array): void {
    try {
      this.receive(from, decodeBatch(body));
    } catch (error) {
      if (!isThemisError(error)) throw error;
      this.#options.log.write('warn', 'messages of a peer cannot be read', {
        peer: from,
        reason: error.message,
      });
    }
  }

  async *#serve(
    body: Uint8Array,
    { peer, signal }: CallContext,
  ): AsyncIterableIterator<Uint8Array> {
    yield* this.serveSnapshot(peer.nodeId, decodeRequest(body), signal);
    this.snapshotsServed++;
  }
}

/** The batch in parts a frame can carry; almost always it is one. */
function* pieces(batch: RaftBatch): Generator<RaftBatch> {
  let messages: RaftBatch['messages'][number][] = [];
  let bytes = 0;
  for (const message of batch.messages) {
    let size = 64;
    for (const { data } of message.entries) size += 16 + (data?.length ?? 0);
    if (bytes + size > pieceBytesMax && messages.length > 0) {
      yield { ...batch, messages };
      [messages, bytes] = [[], 0];
    }
    messages.push(message);
    bytes += size;
  }
  yield bytes === 0 ? batch : { ...batch, messages };
}

/** `[length of id u8, 0 = none][id][1 and the key, or 0]`. */
export function encodeRequest({ id, after }: SnapshotRequest): Uint8Array {
  const name = utf8Encode(id ?? '');
  const out = new Uint8Array(2 + name.length + (after?.length ?? 0));
  out[0] = name.length;
  out.set(name, 1);
  out[1 + name.length] = after === undefined ? 0 : 1;
  if (after !== undefined) out.set(after, 2 + name.length);
  return out;
}

export function decodeRequest(body: Uint8Array): SnapshotRequest {
  const end = 1 + (body[0] ?? 0);
  if (body.length <= end) {
    throw themisError('PROTOCOL_ERROR', { message: 'a request for a snapshot is cut short' });
  }
  const id = end === 1 ? undefined : utf8Decode(body.subarray(1, end));
  return body[end] === 0 ? { id } : { id, after: body.slice(end + 1) };
}
