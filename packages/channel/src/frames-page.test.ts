import { readFileSync } from 'node:fs';
import { toHex, tryFromHex, utf8Encode, type NetworkConnection } from '@themisdb/base';
import { expect, test } from 'vitest';
import { FrameWriter } from './carriers/frame-writer.ts';
import { makeLimits } from './limits.ts';
import { goodbyeReasons } from './wire/faults.ts';
import { frameFlags, frameTypes } from './wire/frame.ts';
import { encodeHello } from './wire/hello.ts';

const page = readFileSync(new URL('../../../docs/internals/frames.md', import.meta.url), 'utf8');

/** The bytes that leave when one frame is sent. */
function written(...frame: Parameters<FrameWriter['send']>): string {
  const out: string[] = [];
  const connection = {
    write: (bytes: Uint8Array) => out.push(toHex(bytes)) > 0,
  } as unknown as NetworkConnection;
  const writer = new FrameWriter(connection, 65_536, () => {});
  writer.send(...frame);
  writer.flush();
  return out.join('');
}

test('the page of frames names every type and reason with its number', () => {
  for (const [name, number] of Object.entries(frameTypes)) {
    expect(page).toContain(`| 0x${number.toString(16).padStart(2, '0')} | \`${name}\` |`);
  }
  for (const [name, number] of Object.entries(goodbyeReasons)) {
    expect(page).toContain(`| ${number} | \`${name}\` |`);
  }
});

test('the frames shown on it are those that are sent', () => {
  const shown = [...page.matchAll(/```frame\n([^`]+)```/g)].map(([, text]) =>
    text!.replaceAll(/\s/g, ''),
  );
  const request = written(frameTypes.request, frameFlags.end, 1, 2, 1_500, utf8Encode('hi'));
  const { frameBytesMax, messageBytesMax, windowBytes, callsMax } = makeLimits();
  const hello = encodeHello({
    versionMin: 1,
    versionMax: 1,
    identity: { nodeId: 7, clusterId: 'c', role: 'node' },
    frameBytesMax,
    messageBytesMax,
    windowBytes,
    callsMax,
    operations: [{ kind: 'call', name: 'ping' }],
  });
  expect(shown).toEqual([request, written(frameTypes.hello, 0, 0, 0, 0, hello)]);
  expect(shown.every((hex) => tryFromHex(hex) !== undefined)).toBe(true);
});
