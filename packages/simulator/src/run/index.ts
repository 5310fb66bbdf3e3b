export { runSeed, type RunResult } from './run-seed.ts';
export {
  drawSettings,
  formatScenario,
  parseScenario,
  settingNames,
  type SettingName,
  type Settings,
} from './settings.ts';
export { simulate, type SimulateOptions } from './simulate.ts';
export { sourceCommit } from './source-commit.ts';
export type { SeedReport, Tally } from './tally.ts';
