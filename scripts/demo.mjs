// `npm run demo`: loads public data and runs queries worth reading.
import { join } from 'node:path';
import { build, checkNode, install, root, run } from './lib/prepare.mjs';

checkNode();
install();
build();
process.exit(
  run(process.execPath, [
    '--disallow-code-generation-from-strings',
    join(root, 'examples/dist/demo.js'),
    ...process.argv.slice(2),
  ]),
);
