import type { MessagePort } from 'node:worker_threads';
import type { ChannelPort } from '@themisdb/channel';

/** A port of worker threads as a channel wants it. Like a socket it keeps the process alive until it closes. */
export function channelPort(port: MessagePort): ChannelPort {
  return {
    post: (message, transfer) => port.postMessage(message, transfer),
    onClose: (listener) => void port.once('close', listener),
    onMessage: (listener) => void port.on('message', listener),
    close: () => port.close(),
  };
}
