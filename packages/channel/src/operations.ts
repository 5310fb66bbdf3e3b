import { assert, utf8Encode } from '@themisdb/base';
import type {
  CallHandler,
  ChannelHandlers,
  DuplexHandler,
  MessageHandler,
  StreamHandler,
} from './contract.ts';

export const operationKinds = ['call', 'stream', 'duplex', 'message'] as const;
export type OperationKind = (typeof operationKinds)[number];

/** An operation as the hello names it; its number on this connection is its place in the list. */
export interface OfferedOperation {
  readonly kind: OperationKind;
  readonly name: string;
}

export type ServedOperation =
  | { readonly kind: 'call'; readonly name: string; readonly handle: CallHandler }
  | { readonly kind: 'stream'; readonly name: string; readonly handle: StreamHandler }
  | { readonly kind: 'duplex'; readonly name: string; readonly handle: DuplexHandler }
  | { readonly kind: 'message'; readonly name: string; readonly handle: MessageHandler };

// So many of the longest names fit into a hello.
const operationsMax = 128;

export function servedOperations(handlers: ChannelHandlers): readonly ServedOperation[] {
  const served: ServedOperation[] = [];
  for (const kind of operationKinds) {
    for (const [name, handle] of Object.entries(handlers[kind] ?? {})) {
      const length = utf8Encode(name).length;
      assert(length > 0 && length < 256, () => `an operation name of ${length} bytes`);
      served.push({ kind, name, handle } as ServedOperation);
    }
  }
  assert(served.length <= operationsMax, () => `${served.length} operations`);
  const names = new Set(served.map(({ name }) => name));
  assert(names.size === served.length, 'an operation stands under two kinds');
  return served;
}

/** What the other side serves: numbers by kind and name. */
export class OperationTable {
  readonly #numbers: Readonly<Record<OperationKind, Map<string, number>>> = {
    call: new Map(),
    stream: new Map(),
    duplex: new Map(),
    message: new Map(),
  };

  constructor(offered: readonly OfferedOperation[]) {
    offered.forEach(({ kind, name }, number) => this.#numbers[kind].set(name, number));
  }

  find(kind: OperationKind, name: string): number | undefined {
    return this.#numbers[kind].get(name);
  }
}
