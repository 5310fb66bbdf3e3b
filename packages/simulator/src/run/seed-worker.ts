// The child of `SeedWorkers`: every message is a run's settings, answered by its report.
import { runSeed } from './run-seed.ts';
import type { Settings } from './settings.ts';
import { reportOf } from './tally.ts';

process.on('message', (settings: Settings) => {
  void runSeed(settings).then((result) => process.send!(reportOf(result)));
});
