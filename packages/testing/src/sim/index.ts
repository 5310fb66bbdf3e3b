export { SimScheduler, type RunLimits, type SimEvent } from './scheduler.ts';
export { SimClock } from './sim-clock.ts';
export { SimDisk, type LatencyMs, type SimDiskOptions } from './sim-disk.ts';
export { makeSimEnv, type SimEnv, type SimEnvOptions } from './sim-env.ts';
export type { DiskFault, DiskOperation } from './sim-faults.ts';
export { SimLog, type SimLogLine } from './sim-log.ts';
export { SimRandom } from './sim-random.ts';
export { SimTimers } from './sim-timers.ts';
export { Trace } from './trace.ts';
