import { makeSimEnv } from '@themisdb/testing';
import { runChannelContract } from '@themisdb/testing/channel-contract';
import { makeLocalChannel } from './index.ts';

runChannelContract('within one thread', async () => {
  const env = makeSimEnv(1);
  const identity = (nodeId: number) => ({ nodeId, clusterId: 'test', role: 'node' });
  return {
    open: async (first, second) =>
      makeLocalChannel(
        { env, identity: identity(1), ...first },
        { env, identity: identity(2), ...second },
      ),
    run: (body) => env.run(body),
    settle: () => env.timers.sleep(100),
    logged: env.log.lines,
    dispose: async () => {},
  };
});
