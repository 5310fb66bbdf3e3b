import { equalBytes, hasCode, joinPath, parentPath, type Disk, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import {
  formatVersion,
  frameType,
  headerBlockBytes,
  segmentName,
  tryDecodeSegmentHeader,
  trySegmentNumber,
  type FrameHeader,
} from './format.ts';
import { LogIndex } from './log-index.ts';
import { inspectRest, scanFrames } from './scan.ts';
import { logCorrupt, Segment } from './segment.ts';

const rewriteBytes: number = 1024 * 1024;

export interface Recovered {
  readonly segments: readonly Segment[];
  readonly index: LogIndex;
  readonly tornBytes: number;
  /** The log ends with the mark of an orderly close. */
  readonly isMarked: boolean;
}

export interface LogPlace {
  readonly folder: string;
  /** Undefined: any will do. */
  readonly storeId: Uint8Array | undefined;
}

/**
 * Reads a log in: checks every frame of every segment, rebuilds the index, cuts a torn tail off.
 *
 * How a torn tail is told from damage: batches are written one after the other, each only when the one
 * before is durable, and the unwritten part of a file is zero. So what does not check at offset P of
 * the last segment in use is torn if nothing shows that a later batch was begun. It is damage if an
 * intact frame of a batch that starts behind P follows, or if a later segment was begun. The first
 * frame of each segment says where the one before ended, so that a lost end is damage too.
 */
export async function recover(env: Env, place: LogPlace): Promise<Recovered> {
  await makeFolder(env.disk, place.folder);
  const segments: Segment[] = [];
  try {
    await openSegments(env.disk, place, segments);
    await dropUnused(env.disk, place.folder, segments);
    return await readIn(env, segments);
  } catch (error) {
    for (const segment of segments) await segment.file.close();
    throw error;
  }
}

/** Makes the folder durable, with all above it. */
async function makeFolder(disk: Disk, folder: string): Promise<void> {
  await disk.makeDirectory(folder);
  for (let at = folder; at !== ''; at = parentPath(at)) await disk.syncDirectory(parentPath(at));
}

/** Opens what is there into `segments`; a last file that was never finished is removed. */
async function openSegments(disk: Disk, place: LogPlace, segments: Segment[]): Promise<void> {
  const names = await disk.list(place.folder);
  const numbers = names.map(trySegmentNumber).filter((number) => number !== undefined);
  for (const [i, number] of numbers.entries()) {
    const path = joinPath(place.folder, segmentName(number));
    const expected = numbers[0]! + i;
    if (number !== expected) {
      const missing = joinPath(place.folder, segmentName(expected));
      throw logCorrupt(missing, 0, 'the file is missing');
    }
    const segment = await openSegment(disk, path, number, place);
    if (segment !== undefined) segments.push(segment);
    else if (number === numbers.at(-1)) await removeFile(disk, place.folder, path);
    else throw logCorrupt(path, 0, 'damaged segment header');
  }
}

/** Undefined when the file has neither a header nor frames. */
async function openSegment(
  disk: Disk,
  path: string,
  number: number,
  place: LogPlace,
): Promise<Segment | undefined> {
  const file = await disk.open(path, {});
  try {
    const allocated = await file.size();
    const header = tryDecodeSegmentHeader(await file.read(0, headerBlockBytes));
    if (header !== undefined) {
      checkVersion(path, header.version);
      checkStore(path, header.storeId, place.storeId);
      if (header.number !== number) {
        throw logCorrupt(path, 0, `the segment is number ${header.number}`);
      }
      return new Segment(number, header.salt, file, allocated);
    }
    // The header is durable before the first frame is written, so frames without one are damage.
    const rest = await inspectRest(new Segment(number, 0, file, allocated), headerBlockBytes);
    if (rest.end > headerBlockBytes) throw logCorrupt(path, 0, 'damaged segment header');
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

function checkVersion(file: string, version: number): void {
  if (version <= formatVersion) return;
  throw themisError('FORMAT_UNKNOWN', {
    message: `${file} has log format ${version}; this version reads up to ${formatVersion}`,
    details: { file, version, supported: formatVersion },
  });
}

function checkStore(file: string, found: Uint8Array, wanted: Uint8Array | undefined): void {
  if (wanted === undefined || equalBytes(found, wanted)) return;
  throw themisError('CONFIG_INVALID', {
    message: `${file} belongs to another store than the one that opens it`,
    details: { file },
  });
}

/** Removes segments at the end in which nothing was ever written. */
async function dropUnused(disk: Disk, folder: string, segments: Segment[]): Promise<void> {
  for (let last = segments.at(-1); last !== undefined; last = segments.at(-1)) {
    if ((await inspectRest(last, headerBlockBytes)).end > headerBlockBytes) return;
    segments.pop();
    await last.file.close();
    await removeFile(disk, folder, last.file.path);
  }
}

async function removeFile(disk: Disk, folder: string, path: string): Promise<void> {
  await disk.remove(path);
  await disk.syncDirectory(folder);
}

async function readIn(env: Env, segments: readonly Segment[]): Promise<Recovered> {
  const index = new LogIndex();
  let isMarked = segments.length === 0;
  let lastBatch = headerBlockBytes;
  for (const segment of segments) {
    segment.end = await scanFrames(segment, ({ header, offset, bytes }) => {
      lastBatch = header.batchStart;
      isMarked = header.type === frameType.closed;
      if (header.type === frameType.rolled) checkEnds(header, segment, segments);
      index.apply(header, { segment: segment.number, offset, bytes });
    });
  }
  const tornBytes = await cutTail(env, segments);
  const broken = index.brokenGroup();
  if (broken !== undefined) {
    throw logCorrupt(segments[0]!.file.path, 0, `records of group ${broken} are missing`);
  }
  await makeDurable(
    segments.findLast((segment) => !segment.isEmpty),
    lastBatch,
  );
  return { segments, index, tornBytes, isMarked };
}

/**
 * What was read may have been written by a process that died before its sync, or whose sync failed: from
 * here on it counts as acknowledged, so it must be durable. After a failed sync the kernel takes its
 * pages for clean, and a sync that succeeds says nothing about them: they are written anew. Everything
 * before the last batch had been synced when that was begun.
 */
async function makeDurable(last: Segment | undefined, batchStart: number): Promise<void> {
  if (last === undefined) return;
  for (let at = batchStart; at < last.end; at += rewriteBytes) {
    const bytes = await last.file.read(at, Math.min(rewriteBytes, last.end - at));
    await last.file.write(at, bytes);
  }
  await last.file.datasync();
}

/** `rolled` names the last segment before that holds frames, and its end. */
function checkEnds(rolled: FrameHeader, segment: Segment, segments: readonly Segment[]): void {
  for (const before of segments) {
    if (before === segment) return;
    const end = before.number === rolled.group ? rolled.index : headerBlockBytes;
    if (before.number >= rolled.group && before.end !== end) {
      throw before.corrupt(before.end, 'damaged or missing records');
    }
  }
}

/** The number of bytes cut off the last segment. */
async function cutTail(env: Env, segments: readonly Segment[]): Promise<number> {
  const last = segments.at(-1);
  if (last === undefined) return 0;
  // Without an intact frame in the last segment nothing confirms the end of the one before.
  const before = last.isEmpty ? segments.findLast((s) => s !== last && !s.isEmpty) : undefined;
  if (before !== undefined && (await inspectRest(before, before.end)).end > before.end) {
    throw before.corrupt(before.end, 'damaged record');
  }
  const rest = await inspectRest(last, last.end);
  if (rest.hasLaterBatch) throw last.corrupt(last.end, 'damaged record');
  const tornBytes = rest.end - last.end;
  if (tornBytes === 0) return 0;
  const fields = { file: last.file.path, offset: last.end, tornBytes };
  env.log.write('warn', 'cut an incomplete batch off the end of the log', fields);
  // Nothing of the torn batch may stand behind frames written later: they would make it whole again.
  await last.file.truncate(last.end);
  await last.file.datasync();
  await giveBackSpace(last);
  return tornBytes;
}

/** Without its space the segment counts as full, and going on would need a new one. */
async function giveBackSpace(segment: Segment): Promise<void> {
  const wanted = segment.allocated;
  segment.allocated = segment.end;
  try {
    await segment.file.allocate(wanted);
  } catch (error) {
    if (!hasCode(error, 'DISK_FULL')) throw error;
  }
  segment.allocated = await segment.file.size();
}
