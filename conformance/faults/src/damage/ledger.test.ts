import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng, utf8Encode } from '@themisdb/base';
import { openRocksDB } from '@themisdb/kv-rocksdb';
import { afterAll, expect, test } from 'vitest';
import { chooseBit, isStillThere, turnBack, turnOver, type Flip } from './flip.ts';
import { DamageLedger } from './ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'themis-damage-'));
const logPath = join(folder, 'server.log');
afterAll(() => rmSync(folder, { recursive: true }));

function flipIn(name: string): Flip {
  const path = join(folder, name);
  writeFileSync(path, Uint8Array.of(1, 2, 3));
  const flip = { path, offset: 1, bit: 0, damaged: 3 };
  turnOver(flip);
  return flip;
}

function say(line: string): void {
  appendFileSync(logPath, `${line}\n`);
}

test('nothing damaged, nothing told', () => {
  expect(new DamageLedger().summary({ isWell: true })).toBeUndefined();
});

test('flips are counted by what the logs say of them, from the flip on', () => {
  const ledger = new DamageLedger();
  say('error LOG_CORRUPT: log/b.wal: damaged record at offset 0');
  const [a] = ['a.wal', 'b.wal', 'c.wal', 'd.wal'].map((name) => ledger.add(flipIn(name), logPath));
  say('error LOG_CORRUPT: log/a.wal: damaged record at offset 0');
  ledger.look();
  a!.repair = 'replaced';
  rmSync(join(folder, 'd.wal'));
  expect(ledger.summary({ isWell: true })).toBe(
    'damage: 4 bits turned over, 1 detected (1 refused at the start with file and offset), 1 repaired (1 by a new node that took the place), 1 in files that were removed before anybody read them, 2 in bytes nobody needs',
  );
  expect(ledger.summary({ isWell: false })).toContain(
    '3 not noticed by any server; see the violations',
  );
});

test('a table that was found damaged is mended once the state was fetched', () => {
  const ledger = new DamageLedger();
  mkdirSync(join(folder, 'state'));
  ledger.add(flipIn('state/000009.sst'), logPath);
  say(`checksum mismatch in ${folder}/state/000009.sst offset 0 size 2`);
  writeFileSync(join(folder, 'state.damaged'), '');
  say('{"willRebuild":true,"message":"the replica has stopped: the process ends"}');
  ledger.look();
  expect(ledger.summary({ isWell: true })).toContain('0 repaired, 1 NOT REPAIRED');
  rmSync(join(folder, 'state.damaged'));
  ledger.look();
  expect(ledger.summary({ isWell: true })).toBe(
    'damage: 1 bit turned over, 1 detected (1 found by a checksum), 1 repaired (1 by the state of a peer)',
  );
});

test('a flip in a record that nobody read is found by the scan at the end', async () => {
  const path = join(folder, 'node9', 'data', 'state');
  const engine = await openRocksDB({ path });
  const prng = new Prng(1);
  const puts = Array.from({ length: 2000 }, (_, i) => ({
    type: 'put' as const,
    key: utf8Encode(`k${i}`),
    value: prng.bytes(100),
  }));
  await engine.write(puts);
  await engine.flush();
  await engine.close();
  const name = readdirSync(path).find((each) => each.endsWith('.sst'))!;
  const ledger = new DamageLedger();
  for (const offset of [10_000, 100_000]) {
    const byte = readFileSync(join(path, name))[offset]!;
    const flip = { path: join(path, name), offset, bit: 3, damaged: byte ^ 8 };
    turnOver(flip);
    ledger.add(flip, logPath);
  }
  await ledger.scan();
  expect(ledger.summary({ isWell: true })).toBe(
    'damage: 2 bits turned over, 0 detected, 0 repaired, 2 in records nobody read (a scan of all files finds them)',
  );
});

test('a flip is latent where it stands until it is noticed, or its file is gone', () => {
  const ledger = new DamageLedger();
  const [found, gone] = ['g.wal', 'h.wal'].map((name) => ledger.add(flipIn(name), logPath));
  expect(ledger.isLatentAt(join(folder, 'other.log'))).toBe(false);
  found!.evidence = 'refused';
  expect(ledger.isLatentAt(logPath)).toBe(true);
  rmSync(gone!.flip.path);
  expect(ledger.isLatentAt(logPath)).toBe(false);
});

test('what was found and not mended is told, and what the run itself turned back is no repair', () => {
  const ledger = new DamageLedger();
  const one = ledger.add(flipIn('e.wal'), logPath);
  const two = ledger.add(flipIn('f.wal'), logPath);
  one.evidence = 'refused';
  two.evidence = 'refused-unnamed';
  two.repair = 'turned-back';
  expect(ledger.summary({ isWell: true })).toBe(
    'damage: 2 bits turned over, 2 detected (1 refused at the start with file and offset, 1 refused at the start without the place), 0 repaired, 1 turned back by the run, 1 NOT REPAIRED',
  );
});

test('a bit is chosen in the used part of a file, and can be turned back', () => {
  const data = join(folder, 'data');
  mkdirSync(data);
  expect(chooseBit(new Prng(1), data, '.wal')).toBeUndefined();
  writeFileSync(join(data, 'x.wal'), Uint8Array.of(5, 0, 7, 0, 0, 0));
  for (let seed = 1; seed <= 20; seed++) {
    const flip = chooseBit(new Prng(seed), data, '.wal')!;
    expect(flip.offset).toBeLessThan(3);
    turnOver(flip);
    expect(isStillThere(flip)).toBe(true);
    turnBack(flip);
    expect(isStillThere(flip)).toBe(false);
  }
});
