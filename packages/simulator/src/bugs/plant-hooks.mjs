import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
};
let edits = [];

export function initialize(data) {
  edits = data;
}

/** Node's module hook: files that are to be changed are changed as they are loaded, never on disk. */
export async function load(url, context, nextLoad) {
  const mine = edits.filter(({ file }) => url.endsWith(`/packages/${file}`));
  if (mine.length === 0) return nextLoad(url, context);
  let source = await readFile(fileURLToPath(url), 'utf8');
  for (const { file, find, replace } of mine) {
    const count = source.split(find).length - 1;
    if (count !== 1) throw new Error(`${file} holds ${count} times: ${find}`);
    source = source.replace(find, () => replace);
  }
  const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: url });
  return { format: 'module', source: outputText, shortCircuit: true };
}
