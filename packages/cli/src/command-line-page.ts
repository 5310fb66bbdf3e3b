import type { Command, Option } from 'commander';

/** docs/reference/command-line.md, from the definitions of the commands. */
export function commandLinePage(program: Command): string {
  return `# Command line

Made from the definitions of the commands by \`UPDATE_DOCS=1 npx vitest run packages/cli/src/command-line-page.test.ts\`.

In this repository write \`npx themis\`, or \`npm start\` for \`npx themis start\` with everything built first (flags go
after \`--\`). Data goes to standard output; progress, notes and errors go to standard error. Progress is drawn over
itself on a terminal and written as plain lines elsewhere; \`NO_COLOR\` is respected. An unknown command or flag gets a
suggestion.

| Exit code | Meaning |
| --- | --- |
| 0 | Done. |
| 1 | Failed; for \`import\` also when records were refused. |
| 2 | Wrong use: unknown command or flag, wrong value, wrong configuration. |
| 70 | A defect of ours: an invariant was found broken. The log tells which; what was acknowledged is kept. |
| 74 | The node cannot go on: its disk failed, or its replica lost what it had promised. The log tells which; started again it mends what it can. |
| 130 | Interrupted by Ctrl-C. |

${program.commands.map(section).join('\n')}`;
}

function section(command: Command): string {
  const rows = command.options
    .filter((option) => command.name() !== 'start' || option.long === '--config')
    .map((option) => `| \`${option.flags.replaceAll('|', '\\|')}\` | ${meaning(option)} |`);
  const after =
    command.name() === 'start'
      ? '\nEvery setting of [configuration.md](configuration.md) is a flag as well: `themis start --port 9090`.\n'
      : '';
  return `## themis ${command.name()}

\`themis ${command.name()} ${command.usage()}\`

${command.description()}

| Flag | Meaning |
| --- | --- |
${rows.join('\n')}
${after}`;
}

function meaning(option: Option): string {
  const { description, argChoices, defaultValue } = option;
  const choices = argChoices === undefined ? '' : ` One of: ${argChoices.join(', ')}.`;
  const isTold = defaultValue !== undefined && defaultValue !== false && defaultValue !== '';
  const preset = isTold ? ` Default: ${String(defaultValue)}.` : '';
  return `${sentence(description)}${choices}${preset}`;
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return capital.endsWith('.') ? capital : `${capital}.`;
}
