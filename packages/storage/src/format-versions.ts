import { themisError } from '@themisdb/protocol';

/**
 * Every format a store may have on disk, oldest first. A store opens every one of them and refuses
 * what it does not know. Append here, never change an entry; each has a fixture in the tests.
 */
export const formatVersions = [
  // 2026-11: the first. Key layout of keys.ts, envelope format 1, command format 1, tuples of kv.
  1,
  // 2026-11: the log is a replicated one. Entries of the log's own take indexes, hard state stands in a
  // group of its own, parts of long commands say which part they are, the membership is in meta space.
  2,
] as const;

export const formatVersionCurrent: number = formatVersions[formatVersions.length - 1]!;

/** Throws FORMAT_UNKNOWN unless `version` is one of the list. */
export function checkFormatVersion(version: number): void {
  if ((formatVersions as readonly number[]).includes(version)) return;
  throw themisError('FORMAT_UNKNOWN', {
    message: `the store has data format ${version}; this version opens formats ${formatVersions[0]} to ${formatVersionCurrent}`,
    details: { found: version, newest: formatVersionCurrent },
  });
}
