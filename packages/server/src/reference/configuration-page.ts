import { configKeys, configNames, flagOf, variableOf, type ConfigKey } from '../config/keys.ts';
import { table } from './http-page.ts';

/** docs/reference/configuration.md, from the table of settings. */
export function configurationPage(): string {
  const rows = configNames.map((name) => {
    const key = configKeys[name];
    return [
      `\`${name}\``,
      `\`--${flagOf(name)}\``,
      `\`${variableOf(name)}\``,
      preset(key),
      key.summary,
    ];
  });
  return `# Configuration

Made from the table of settings (\`packages/server/src/config/keys.ts\`) by
\`UPDATE_DOCS=1 npx vitest run packages/server/src/reference\`. Flags win over variables, variables over the file named by
\`--config\` or \`THEMIS_CONFIG\` (YAML when it ends in \`.yaml\` or \`.yml\`, else JSON; nested or dotted keys), the file over
defaults. An unknown name or a value out of bounds stops the start and names its source, in a file with line and column. Bytes may be written as \`16MiB\`, durations as \`30s\`.

There is no authentication yet: the server listens on loopback addresses only, and answers only to requests that came by
a loopback name or one of \`hosts\`.

${table(['Key', 'Flag', 'Variable', 'Default', 'Meaning'], rows)}`;
}

function preset(key: ConfigKey): string {
  const value = key.default;
  if (typeof value !== 'number') return Array.isArray(value) ? '' : String(value);
  const isBig = key.type === 'bytes' && value % 2 ** 20 === 0;
  if (isBig) return value % 2 ** 30 === 0 ? `${value / 2 ** 30} GiB` : `${value / 2 ** 20} MiB`;
  return key.type === 'duration' ? `${value / 1000} s` : String(value);
}
