export { loadConfig, makeConfig, type ConfigInput, type LoadedConfig } from './config/config.ts';
export {
  configKeys,
  configNames,
  flagOf,
  variableOf,
  type ConfigKey,
  type ConfigName,
} from './config/keys.ts';
export type { ServerConfig, ServerLimits, ServerQueryLimits } from './config/server-config.ts';
export { open, type OpenOptions } from './database/open.ts';
export type * from './database/types.ts';
export { defectExitCode } from './defect-exit.ts';
export { openApiOf } from './http/openapi.ts';
export { routes } from './http/routes/index.ts';
export type { Route } from './http/route.ts';
export { startServer, type RunningServer, type StartOptions, type StopOptions } from './server.ts';
export { version } from './version.ts';
export { formatTimestamp, timestampOfMs } from '@themisdb/storage';
