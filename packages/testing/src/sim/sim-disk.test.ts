import { runDiskContract } from '../disk-contract.ts';
import { makeSimEnv } from './index.ts';

runDiskContract('SimDisk', async () => {
  const env = makeSimEnv(1);
  return { disk: env.disk, run: (body) => env.run(body), dispose: async () => {} };
});
