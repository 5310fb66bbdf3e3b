// `npm test`: types, lint, and every test a laptop can run. Arguments go to vitest.
import { join } from 'node:path';
import { build, checkNode, install, root, run } from './lib/prepare.mjs';

checkNode();
install();
build();
const bin = (path) => [join(root, 'node_modules', path)];
const steps = [
  ['types', [...bin('typescript/bin/tsc'), '-p', 'tsconfig.check.json']],
  [
    'lint',
    [
      ...bin('oxlint/bin/oxlint'),
      '--type-aware',
      '--tsconfig',
      'tsconfig.check.json',
      '--deny-warnings',
    ],
  ],
  ['tests', [...bin('vitest/vitest.mjs'), 'run', ...process.argv.slice(2)]],
];
for (const [name, args] of steps) {
  const status = run(process.execPath, args);
  if (status === 0) continue;
  console.error(`npm test: ${name} failed (exit code ${status}).`);
  process.exit(status);
}
