import { defineConfig } from 'vitest/config';

// Packages are tested from their sources: the private `themis-src` export condition leads there.
const conditions = ['themis-src', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['node', 'import', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'examples/src/**/*.test.ts', 'conformance/**/*.test.ts', 'bench/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // The shipped start command forbids it too: a database evaluates strangers' text.
    execArgv: ['--disallow-code-generation-from-strings'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
