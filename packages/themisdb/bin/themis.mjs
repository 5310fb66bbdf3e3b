#!/usr/bin/env -S node --disallow-code-generation-from-strings
try {
  await import('@themisdb/cli/bin');
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !String(error.message).includes('/dist/'))
    throw error;
  console.error(
    'ThemisDB is not built yet: run `npm run build` (or `npm start`, which does it) first.',
  );
  process.exitCode = 1;
}
