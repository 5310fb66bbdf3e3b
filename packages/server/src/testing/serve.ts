// A server as `themis start` runs one, for tests that need a process. Arguments: data folder, flags as
// JSON. Prints its URL, and logs to standard output. SIGTERM stops it in order. A document with
// `broken` meets a failing assertion, as a defect of ours would.
import { assert } from '@themisdb/base';
import { collectionRules } from '@themisdb/models';
import type { RulesFactory } from '@themisdb/storage';
import { makeConfig } from '../config/config.ts';
import { makeJsonLog } from '../env/index.ts';
import { startServer } from '../server.ts';

const [folder, flags] = process.argv.slice(2);
assert(
  folder !== undefined && flags !== undefined,
  'usage: serve.ts <data folder> <flags as JSON>',
);

const rules: RulesFactory = (collection, catalog) => {
  const real = collectionRules(collection, catalog);
  return {
    ...real,
    prepare(document, context) {
      assert(document['broken'] !== true, 'no document is ever broken');
      return real?.prepare?.(document, context) ?? document;
    },
  };
};

const given = JSON.parse(flags) as Record<string, string>;
const log = makeJsonLog({ write: (line) => void process.stdout.write(line) });
const config = makeConfig({ port: 0, data: folder, ...given });
// Rules and logs cannot be handed to another thread.
const server = await startServer(config, config.store.thread === 'main' ? { rules, log } : {});
process.on('SIGTERM', () => void server.stop());
process.stdout.write(`${server.url}\n`);
