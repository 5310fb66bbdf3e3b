import { basename } from 'node:path';
import type { Flip } from './flip.ts';

/** How the server came to know of a flip. */
export type Evidence =
  /** It did not start, and named the file and an offset at or before the flip. */
  | 'refused'
  /** It did not start, and said nothing that fits: to be told by who tried to start it. */
  | 'refused-unnamed'
  /** Cut off the end of the log, as it does with what a crash left incomplete. */
  | 'cut'
  /** A checksum of that file did not match, at the start or when it was read. */
  | 'checksum';

/** What the log of a process, from the flip on, tells of just this flip; undefined when it does not. */
export function findEvidence(
  log: string,
  flip: Pick<Flip, 'path' | 'offset'>,
): Evidence | undefined {
  for (const line of log.split('\n')) {
    const found = evidenceIn(line, flip);
    if (found !== undefined) return found;
    // What follows is told of other files, of the same names.
    if (saysItRebuilds(line)) return undefined;
  }
  return undefined;
}

/** Whether it said that it throws its state away and fetches it, or will at the next start. */
export function saysItRebuilds(log: string): boolean {
  return log.includes('its state is fetched from a peer') || log.includes('"willRebuild":true');
}

function evidenceIn(
  line: string,
  { path, offset }: Pick<Flip, 'path' | 'offset'>,
): Evidence | undefined {
  const name = basename(path);
  if (line.includes('LOG_CORRUPT')) {
    const said = /(\S+): [^:]* at offset (\d+)/.exec(line);
    const isNamed = said !== null && basename(said[1]!) === name && Number(said[2]) <= offset;
    return isNamed ? 'refused' : undefined;
  }
  if (line.includes('cut an incomplete batch off')) {
    const cut = JSON.parse(line) as { file: string; offset: number; tornBytes: number };
    const isInside = offset >= cut.offset && offset < cut.offset + cut.tornBytes;
    return basename(cut.file) === name && isInside ? 'cut' : undefined;
  }
  const isDamage = /corrupt|mismatch|bad (block|table|entry|magic)|too short|truncated/i.test(line);
  return isDamage && namesBlock(line, name, offset) ? 'checksum' : undefined;
}

/** RocksDB names the table, and mostly the block in it; a checksum of five bytes stands behind each. */
function namesBlock(line: string, name: string, offset: number): boolean {
  const at = line.indexOf(`/state/${name}`);
  if (at < 0) return false;
  const block = /^ offset (\d+) size (\d+)/.exec(line.slice(at + `/state/${name}`.length));
  if (block === null) return true;
  const start = Number(block[1]);
  return offset >= start && offset < start + Number(block[2]) + blockTrailerBytes;
}

const blockTrailerBytes = 5;
