import type { KvBatch, KvOperation, KvPuts } from './engine.ts';

export function putCount({ places }: KvPuts): number {
  return places.length / 4;
}

/** Key of put number `i`; shares the bytes. */
export function putKey({ bytes, places }: KvPuts, i: number): Uint8Array {
  return bytes.subarray(places[4 * i], places[4 * i + 1]);
}

export function putValue({ bytes, places }: KvPuts, i: number): Uint8Array {
  return bytes.subarray(places[4 * i + 2], places[4 * i + 3]);
}

/** A batch with each put on its own. */
export function* eachOperation(batch: KvBatch): Iterable<KvOperation> {
  for (const write of batch) {
    if (write.type !== 'puts') yield write;
    else
      for (let i = 0; i < putCount(write); i++)
        yield { type: 'put', key: putKey(write, i), value: putValue(write, i) };
  }
}

/** Operations of a batch, each put counted. */
export function operationCount(batch: KvBatch): number {
  let count = 0;
  for (const write of batch) count += write.type === 'puts' ? putCount(write) : 1;
  return count;
}
