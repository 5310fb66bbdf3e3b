import { aggregateTable } from './aggregates.ts';
import { functionFamilies, functionTable } from './table.ts';

/** The page docs/reference/functions.md, as Markdown. */
export function functionReference(): string {
  const families = [...functionFamilies].map(
    ([family, functions]) =>
      `## ${family}\n\n${functions.map((entry) => line(entry.signature, entry.summary)).join('\n')}\n`,
  );
  const aggregates = [...aggregateTable.values()].map((entry) => line(entry.name, entry.summary));
  return [
    '# AQL functions\n',
    `This version has ${String(functionTable.size)} functions, which behave as in ArangoDB 3.12 unless noted.`,
    'Arguments marked `?` are optional, `*` stands for any number of them. Arguments of the wrong type',
    'raise a warning and give null.\n',
    ...families,
    '## In AGGREGATE and WINDOW\n',
    aggregates.join('\n'),
    '',
  ].join('\n');
}

function line(signature: string, summary: string): string {
  return `- \`${signature}\`: ${summary.replaceAll('*', '\\*').replaceAll('_', '\\_')}`;
}
