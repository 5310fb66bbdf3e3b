import { crc32c } from '@themisdb/base';
import type { WalRecord } from './contract.ts';
import { frameHeaderBytes, tryDecodeHeader, viewOf } from './format.ts';
import type { GroupIndex, Place } from './group-index.ts';
import type { Segment } from './segment.ts';

const windowBytes: number = 1024 * 1024;

/** Places of records that follow each other and lie in one piece of one segment. */
export interface Run {
  readonly first: number;
  readonly places: readonly Place[];
}

/** The records from `index` on that one read of about 1 MiB can fetch; at least one. */
export function runFrom(records: GroupIndex, index: number): Run {
  const places: Place[] = [];
  for (let i = index; i <= records.last; i++) {
    const place = records.get(i)!;
    const [start, before] = [places[0], places.at(-1)];
    if (start !== undefined && before !== undefined) {
      const isBehind = place.segment === start.segment && place.offset > before.offset;
      if (!isBehind || place.offset + place.bytes - start.offset > windowBytes) break;
    }
    places.push(place);
  }
  return { first: index, places };
}

/** Reads and checks the records of a run. */
export async function readRun(segment: Segment, group: number, run: Run): Promise<WalRecord[]> {
  const start = run.places[0]!.offset;
  const last = run.places.at(-1)!;
  const bytes = await segment.file.read(start, last.offset + last.bytes - start);
  const view = viewOf(bytes);
  return run.places.map(({ offset }, i) => {
    const at = offset - start;
    const header = tryDecodeHeader(bytes, view, at, segment.salt, offset);
    const index = run.first + i;
    if (header === undefined || header.group !== group || header.index !== index) {
      throw segment.corrupt(offset, 'damaged record header');
    }
    const from = at + frameHeaderBytes;
    const to = from + header.payloadBytes;
    if (to > bytes.length || crc32c(bytes, from, to) !== header.payloadCrc) {
      throw segment.corrupt(offset, 'damaged record');
    }
    const { term, kind } = header;
    return { group, index, term, kind, payload: bytes.subarray(from, to) };
  });
}
