import { reservedWords } from '@themisdb/aql';
import { functionTable } from '@themisdb/query';

const commands = ['.help', '.collections', '.explain ', '.namespace ', '.table', '.json', '.exit'];

/** What may stand at the end of the line: [candidates, the word they replace]. */
export function completions(line: string, collections: readonly string[]): [string[], string] {
  if (line.startsWith('.') && !line.includes(' ')) {
    return [commands.filter((command) => command.startsWith(line)), line];
  }
  const word = /[A-Za-z0-9_:-]*$/.exec(line)![0];
  if (word === '') return [[], ''];
  const upper = word.toUpperCase();
  const matches = [
    ...collections.filter((name) => name.startsWith(word)),
    ...reservedWords.filter((name) => name.startsWith(upper)).map((name) => `${name} `),
    ...[...functionTable.keys()].filter((name) => name.startsWith(upper)).map((name) => `${name}(`),
  ];
  return [matches, word];
}
