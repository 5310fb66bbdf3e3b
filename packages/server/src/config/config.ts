import { isObject, suggest, type ValueObject } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { configKeys, configNames, flagOf, variableOf, type ConfigName } from './keys.ts';
import { checkCluster } from './cluster.ts';
import { mustBeLoopback } from './loopback.ts';
import type { ServerConfig } from './server-config.ts';
import { readSetting, type Setting } from './settings.ts';
import { readStructuredFile } from './structured-file.ts';

export interface ConfigInput {
  /** By flag name without dashes in front (`limits-body-bytes-max`) or by key. */
  readonly flags?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Usually `process.env`; only names that start with THEMIS_ count. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Path of a YAML or JSON file; nested objects and dotted keys are the same. */
  readonly file?: string | undefined;
}

export interface LoadedConfig {
  readonly config: ServerConfig;
  /** Where each value came from: `flag --port`, `variable THEMIS_PORT`, `file themis.json`, `default`. */
  readonly sources: Readonly<Record<ConfigName, string>>;
}

/**
 * Flags win over variables, variables over the file, the file over defaults. An unknown name or a
 * value outside its bounds is CONFIG_INVALID and names its source.
 */
export function loadConfig(input: ConfigInput = {}): LoadedConfig {
  const file = input.file ?? input.variables?.['THEMIS_CONFIG'];
  const layers: Given[][] = [
    file === undefined ? [] : fromFile(file),
    fromVariables(input.variables ?? {}),
    fromFlags(input.flags ?? {}),
  ];
  const values = new Map<ConfigName, Setting>();
  const sources = {} as Record<ConfigName, string>;
  for (const name of configNames) {
    values.set(name, configKeys[name].default);
    sources[name] = 'default';
  }
  for (const given of layers.flat()) {
    const where = given.where ?? (() => given.source);
    values.set(given.name, readSetting(configKeys[given.name], given.value, where));
    sources[given.name] = given.source;
  }
  const config = build(values);
  mustBeLoopback('host', config.host, sources.host);
  checkCluster(config.cluster, sources);
  return { config, sources };
}

/** The defaults with some values replaced: for tests and embedders. Checked like any other. */
export function makeConfig(flags: ConfigInput['flags'] = {}): ServerConfig {
  return loadConfig({ flags }).config;
}

interface Given {
  readonly name: ConfigName;
  readonly value: Setting;
  readonly source: string;
  /** The source to the letter, for messages. */
  readonly where?: () => string;
}

function fromFlags(flags: NonNullable<ConfigInput['flags']>): Given[] {
  const byFlag = new Map<string, ConfigName>();
  for (const name of configNames) byFlag.set(name, name).set(flagOf(name), name);
  const out: Given[] = [];
  for (const [flag, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const name = byFlag.get(flag) ?? unknown(`flag --${flag}`, flag, [...byFlag.keys()], '--');
    out.push({ name, value, source: `flag --${flagOf(name)}` });
  }
  return out;
}

// Names that other programs of the house read, and those Kubernetes sets for a service "themis".
const foreignVariables = /^THEMIS_(CONFIG$|URL$|TOKEN$|CLI_|TEST_|BENCH_|DEMO_|SERVICE_|PORT_\d)/;

function fromVariables(variables: NonNullable<ConfigInput['variables']>): Given[] {
  const byVariable = new Map(configNames.map((name) => [variableOf(name), name]));
  const out: Given[] = [];
  for (const [variable, value] of Object.entries(variables)) {
    if (value === undefined || !variable.startsWith('THEMIS_')) continue;
    if (foreignVariables.test(variable)) continue;
    if (variable === 'THEMIS_PORT' && value.startsWith('tcp://')) continue;
    const name =
      byVariable.get(variable) ?? unknown(`variable ${variable}`, variable, [...byVariable.keys()]);
    out.push({ name, value, source: `variable ${variable}` });
  }
  return out;
}

function fromFile(path: string): Given[] {
  const file = readStructuredFile(path);
  const source = `file ${path}`;
  const out: Given[] = [];
  const visit = (object: ValueObject, steps: readonly string[]): void => {
    for (const [key, value] of Object.entries(object)) {
      const at = [...steps, key];
      const full = at.join('.');
      const where = (): string => `${source}, ${file.place(at)}`;
      if (isConfigName(full)) out.push({ name: full, value: value as Setting, source, where });
      else if (isObject(value) && configNames.some((name) => name.startsWith(`${full}.`))) {
        visit(value, at);
      } else unknown(`${where()}: key ${full}`, full, configNames);
    }
  };
  visit(file.value, []);
  return out;
}

function isConfigName(name: string): name is ConfigName {
  return Object.hasOwn(configKeys, name);
}

function unknown(source: string, given: string, known: readonly string[], prefix = ''): never {
  const hint = suggest(given, known);
  throw themisError('CONFIG_INVALID', {
    message: `${source} is not a setting${hint === undefined ? '' : `; did you mean ${prefix}${hint}?`}`,
    details: { source, ...(hint === undefined ? {} : { suggestion: hint }) },
  });
}

function build(values: ReadonlyMap<ConfigName, Setting>): ServerConfig {
  const root: Record<string, unknown> = {};
  for (const [name, value] of values) {
    const [group, leaf] = name.split('.') as [string, string | undefined];
    if (leaf === undefined) root[group] = value;
    else ((root[group] ??= {}) as Record<string, unknown>)[leaf] = value;
  }
  return root as unknown as ServerConfig;
}
