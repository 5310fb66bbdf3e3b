// Makes the skeleton of a workspace package: manifest, tsconfig, README, src/index.ts.
// Usage: node scripts/new-package.mjs NAME "its one job" [workspace dependency ...]
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const [name, job, ...deps] = process.argv.slice(2);
if (!name || !job) {
  console.error('usage: node scripts/new-package.mjs NAME "its one job" [dependency ...]');
  process.exit(2);
}
const dir = `packages/${name}`;
if (existsSync(`${dir}/package.json`)) {
  console.error(`${dir} exists already`);
  process.exit(1);
}
mkdirSync(`${dir}/src`, { recursive: true });
const json = (value) => JSON.stringify(value, null, 2) + '\n';
writeFileSync(
  `${dir}/package.json`,
  json({
    name: `@themisdb/${name}`,
    version: '0.1.0',
    description: job,
    license: 'Apache-2.0',
    type: 'module',
    engines: { node: '>=20.19' },
    exports: {
      '.': {
        'themis-src': './src/index.ts',
        types: './dist/index.d.ts',
        default: './dist/index.js',
      },
    },
    files: ['dist'],
    ...(deps.length > 0 && {
      dependencies: Object.fromEntries(deps.sort().map((d) => [`@themisdb/${d}`, '0.1.0'])),
    }),
  }),
);
writeFileSync(
  `${dir}/tsconfig.json`,
  json({
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src', '../../types/universal.d.ts'],
    exclude: ['**/*.test.ts', '**/*.test-d.ts'],
    references: deps.sort().map((d) => ({ path: `../${d}` })),
  }),
);
if (!existsSync(`${dir}/src/index.ts`)) writeFileSync(`${dir}/src/index.ts`, 'export {};\n');
writeFileSync(`${dir}/README.md`, `# @themisdb/${name}\n\n${job}\n`);
const root = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
root.references = [...root.references, { path: dir }].sort((a, b) => (a.path < b.path ? -1 : 1));
writeFileSync('tsconfig.json', json(root));
