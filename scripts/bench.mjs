// `npm run bench [-- W1 W2 …] [--rows N] [--seconds N] [--no-postgres] [--nodes N]`
import { join } from 'node:path';
import { build, checkNode, install, root, run } from './lib/prepare.mjs';

checkNode();
install();
build();
process.exit(run(process.execPath, [join(root, 'bench/dist/main.js'), ...process.argv.slice(2)]));
