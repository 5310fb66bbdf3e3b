// `npm start`: installs what is missing, builds what changed, starts one node with all roles.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, checkNode, install, root } from './lib/prepare.mjs';

checkNode();
install();
build();
const child = spawn(
  process.execPath,
  [
    '--disallow-code-generation-from-strings',
    join(root, 'packages/cli/dist/bin/themis.js'),
    'start',
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { UV_THREADPOOL_SIZE: '8', ...process.env } },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
