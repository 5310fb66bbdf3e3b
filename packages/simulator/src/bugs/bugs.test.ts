import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plantedBugs } from './bugs.ts';

const packages = join(import.meta.dirname, '..', '..', '..');

// The code moves on; a bug that cannot be planted any more would pass for one that is found.
test.each(plantedBugs)('can be planted: $name', ({ edits }) => {
  for (const { file, find, replace } of edits) {
    const source = readFileSync(join(packages, file), 'utf8');
    expect(source.split(find).length - 1, `${file}: ${find}`).toBe(1);
    expect(replace).not.toBe(find);
  }
});
