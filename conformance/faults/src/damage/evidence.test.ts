import { expect, test } from 'vitest';
import { findEvidence, saysItRebuilds } from './evidence.ts';

const wal = { path: '/data/log/segment-0000000001.wal', offset: 22575 };
const sst = { path: '/data/state/000009.sst', offset: 34984 };

function refused(name: string, offset: number): string {
  return `starting\nerror LOG_CORRUPT: log/${name}: damaged record at offset ${offset}\n`;
}

function cut(offset: number, tornBytes: number): string {
  const message = 'cut an incomplete batch off the end of the log';
  const fields = { file: 'log/segment-0000000001.wal', offset, tornBytes };
  return JSON.stringify({ ...fields, level: 'warn', message });
}

test('a refusal counts as one with its place when it names the file, and no offset behind the flip', () => {
  expect(findEvidence(refused('segment-0000000001.wal', 21984), wal)).toBe('refused');
  expect(findEvidence(refused('segment-0000000002.wal', 21984), wal)).toBeUndefined();
  expect(findEvidence(refused('segment-0000000001.wal', 22576), wal)).toBeUndefined();
  expect(findEvidence('error LOG_CORRUPT: they do not belong together', wal)).toBeUndefined();
});

test('a torn tail is evidence only when the flip lies in it', () => {
  expect(findEvidence(cut(22000, 576), wal)).toBe('cut');
  expect(findEvidence(cut(22000, 575), wal)).toBeUndefined();
  expect(findEvidence(cut(22576, 100), wal)).toBeUndefined();
});

test('a checksum counts for the table that is named', () => {
  const line = 'block checksum mismatch: stored = 1, computed = 2 in /data/state/000009.sst';
  expect(findEvidence(line, sst)).toBe('checksum');
  expect(findEvidence(line, { ...sst, path: '/data/state/000010.sst' })).toBeUndefined();
  expect(findEvidence(`${line} offset 32499 size 2481`, sst)).toBe('checksum');
  expect(findEvidence(`${line} offset 32499 size 2480`, sst)).toBeUndefined();
  expect(findEvidence(`${line} offset 34985 size 2480`, sst)).toBeUndefined();
  expect(findEvidence(`{"willRebuild":true}\n${line}`, sst)).toBeUndefined();
  expect(findEvidence('compacted /data/state/000009.sst', sst)).toBeUndefined();
});

test('that a state is fetched anew is read in what the server says', () => {
  expect(
    saysItRebuilds('{"message":"the engine is damaged; its state is fetched from a peer"}'),
  ).toBe(true);
  expect(saysItRebuilds('{"willRebuild":true}')).toBe(true);
  expect(saysItRebuilds('{"willRebuild":false}')).toBe(false);
});
