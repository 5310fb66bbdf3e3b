import { expect, test } from 'vitest';
import { themisError } from '@themisdb/protocol';
import { fromNative } from './errors.ts';

// Texts as RocksDB 10.5 gave them for damaged, missing, locked and full disks.
test.each([
  ['block checksum mismatch: stored(context removed) = 1, computed = 2, type = 4', 'DATA_CORRUPT'],
  ['checksum mismatch  The file /x/MANIFEST-000005 may be corrupted.', 'DATA_CORRUPT'],
  ['Sst file size mismatch between expected 9 and file system 8 sstable: /x/9', 'DATA_CORRUPT'],
  ['CURRENT file corrupted', 'DATA_CORRUPT'],
  ['No space left on device: While appending to file: /x/000012.log', 'DISK_FULL'],
  ['While lock file: /x/LOCK: Resource temporarily unavailable', 'DATA_LOCKED'],
  ['lock hold by current process, acquire time 1: /x/LOCK: No locks available', 'DATA_LOCKED'],
  ['While pread offset 0 len 9: /x/000009.sst: Input/output error', 'DISK_IO'],
  ['RocksDB session is closed', 'STORE_FAILED'],
])('%s', (text, code) => {
  expect(fromNative(new Error(text), 'reading')).toMatchObject({ code });
});

test('the reason of a refused batch is looked for in its cause', () => {
  const cause = new Error('No space left on device');
  const error = fromNative(new Error('Batch was not applied', { cause }), 'writing');
  expect(error).toMatchObject({ code: 'DISK_FULL' });
  expect(error.message).toBe('RocksDB failed while writing: No space left on device');
});

test('an error of ours stays as it is', () => {
  const error = themisError('DATA_LOCKED', { message: 'held' });
  expect(fromNative(error, 'opening')).toBe(error);
});
