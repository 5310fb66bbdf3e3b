import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hasCode, type Prng } from '@themisdb/base';
import {
  describeMismatch,
  makeSimEnv,
  parseScript,
  rewriteScript,
  runScript,
  scriptArg,
  type ScriptCommand,
} from '@themisdb/testing';
import { expect, test } from 'vitest';
import type { Wal } from './contract.ts';
import { frameType, headerBlockBytes, segmentName, tryDecodeSegmentHeader } from './format.ts';
import { scanFrames } from './scan.ts';
import { Segment } from './segment.ts';
import { collect, folder, open, record, settle } from './testing/fixture.ts';

// The life of a log as scripts in testdata/. REWRITE=1 writes what the commands really print.

const scripts = fileURLToPath(new URL('../testdata/', import.meta.url));

test.each(readdirSync(scripts))('%s', async (file) => {
  const text = readFileSync(scripts + file, 'utf8');
  const commands = parseScript(text, file);
  const player = new Player();
  const outputs = new Map<number, string>();
  for (const command of commands) outputs.set(command.line, await player.play(command));
  const output = (command: ScriptCommand): string => outputs.get(command.line)!;
  if (process.env['REWRITE'] === '1')
    writeFileSync(scripts + file, rewriteScript(text, file, output));
  else expect(runScript(commands, output).map(describeMismatch)).toEqual([]);
});

class Player {
  readonly #env = makeSimEnv(1);
  #wal: Wal | undefined;

  /** What a command prints: its result, or the code and message of its error. */
  play(command: ScriptCommand): Promise<string> {
    return this.#env.run(async () => {
      try {
        return (await this.#run(command)) ?? 'ok';
      } catch (error) {
        if (!hasCode(error, 'LOG_CORRUPT', 'DISK_FULL', 'STORE_FAILED', 'FORMAT_UNKNOWN'))
          throw error;
        return `${error.code}: ${error.message}`;
      }
    });
  }

  async #run(command: ScriptCommand): Promise<string | undefined> {
    const { disk } = this.#env;
    const number = (key: string, absent = 0): number => Number(scriptArg(command, key) ?? absent);
    const group = number('group', 1);
    const segment = `${folder}/${segmentName(number('segment', 1))}`;
    switch (command.name) {
      case 'open':
        this.#wal = await open(this.#env, { segmentBytes: number('segment-bytes', 16_384) });
        return `torn ${this.#wal.stats().tornBytes}`;
      case 'append': {
        const indexes = Array.from({ length: number('count', 1) }, (_, i) => number('index') + i);
        const term = number('term', 1);
        const made = indexes.map((index) => record(group, index, term, number('bytes', 20)));
        return this.#open.append(made).then(() => undefined);
      }
      case 'truncate':
        await this.#open.truncateBefore(group, number('before'));
        return settle(this.#env).then(() => undefined);
      case 'close':
        return this.#open.close().then(() => undefined);
      case 'kill':
        return this.#env.kill() as undefined;
      case 'crash':
        return disk.crash(fate(scriptArg(command, 'keep') === 'all')) as undefined;
      case 'capacity':
        return disk.setCapacity(disk.usedBytes() + number('more')) as undefined;
      case 'fail':
        return disk.fail({ operation: scriptArg(command, 'operation') as 'write' }) as undefined;
      case 'flip':
        return disk.flipBit(segment, headerBlockBytes + number('at'), number('bit')) as undefined;
      case 'dump':
        return this.#dump();
      case 'layout':
        return this.#layout();
      default:
        throw new Error(`${command.file}:${command.line}: no command ${command.name}`);
    }
  }

  get #open(): Wal {
    return this.#wal!;
  }

  async #dump(): Promise<string> {
    const lines: string[] = [];
    for (const group of this.#open.groups()) {
      const { first, last } = this.#open.bounds(group)!;
      const found = await collect(this.#open, group);
      const terms = found.map(({ term }) => term).join(' ');
      expect(found).toEqual(found.map((r) => record(group, r.index, r.term, r.payload.length)));
      lines.push(`group ${group}: ${first}-${last} terms ${terms}`);
    }
    return lines.join('\n') || 'nothing';
  }

  /** Every frame of every file, as it stands there. */
  async #layout(): Promise<string> {
    const lines: string[] = [];
    for (const { path, size } of this.#env.disk.files()) {
      const file = await this.#env.disk.open(path, { readOnly: true });
      const header = tryDecodeSegmentHeader(await file.read(0, headerBlockBytes))!;
      lines.push(`segment ${header.number} of ${size} bytes`);
      const segment = new Segment(header.number, header.salt, file, size);
      await scanFrames(segment, (frame) => {
        const { type, batchStart, group, index } = frame.header;
        const what = Object.entries(frameType).find(([, value]) => value === type)![0];
        const batch = batchStart === frame.offset ? 'batch' : '     ';
        lines.push(`  ${batch} ${frame.offset}+${frame.bytes} ${what} ${group}/${index}`);
      });
      await file.close();
    }
    return lines.join('\n');
  }
}

/** Instead of chance: all that was not synced is kept, or all is lost. */
function fate(keep: boolean): Prng {
  return { chance: () => keep, pick: () => (keep ? 1 : 0) } as unknown as Prng;
}
