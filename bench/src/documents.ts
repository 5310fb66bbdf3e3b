import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { Prng } from '@themisdb/base';

export const cities: readonly string[] = [
  'Berlin',
  'Lyon',
  'Oslo',
  'Porto',
  'Riga',
  'Turin',
  'Vilnius',
  'Zagreb',
];

/** About 250 bytes of JSON; the same for the same number, in every run. */
export function makeDocument(i: number): Record<string, unknown> {
  const prng = new Prng(i + 1);
  return {
    _key: `doc-${i}`,
    name: `user ${prng.u32().toString(36)}`,
    email: `u${i}@example.org`,
    age: prng.between(18, 90),
    city: prng.pick(cities),
    amount: prng.below(1_000_000) / 100,
    active: prng.chance(0.5),
    created: `20${prng.between(10, 24)}-0${prng.between(1, 9)}-1${prng.below(10)}T0${prng.below(10)}:00:00Z`,
    tags: [prng.pick(cities), prng.u32().toString(36)],
    note: prng.u32().toString(36).repeat(4),
    customer: `doc-${prng.below(100_000)}`,
  };
}

export async function writeJsonl(path: string, rows: number): Promise<void> {
  const out = createWriteStream(path);
  for (let i = 0; i < rows;) {
    const lines: string[] = [];
    for (const end = Math.min(rows, i + 2_000); i < end; i++)
      lines.push(JSON.stringify(makeDocument(i)));
    if (!out.write(lines.join('\n') + '\n')) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}
