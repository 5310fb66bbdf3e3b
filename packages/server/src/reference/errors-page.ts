import { errorCatalogue, type ErrorSpec } from '@themisdb/protocol';
import { table } from './http-page.ts';

/** docs/reference/errors.md, from the catalogue. */
export function errorsPage(): string {
  const specs = Object.entries(errorCatalogue) as [string, ErrorSpec][];
  const rows = specs.map(([code, spec]) => [
    `<a id="${code.toLowerCase()}"></a>\`${code}\``,
    String(spec.status),
    spec.kind,
    spec.retryable === true ? 'yes' : '',
    spec.arango === undefined ? '' : String(spec.arango),
    spec.meaning,
  ]);
  return `# Errors

Made from the catalogue (\`packages/protocol/src/errors.ts\`) by
\`UPDATE_DOCS=1 npx vitest run packages/server/src/reference\`. Codes are stable; messages may change. Over HTTP an
error is a problem document: \`error.code\` is the code, \`error.position\` the place in a text, \`error.details\` more
facts, \`retryable\` whether the same request may succeed later. The embedded database and the clients throw a
\`ThemisError\` with the same members. "ArangoDB" is the number whose handling fits, in \`details.arangoErrorNum\`.

${table(['Code', 'HTTP', 'Kind', 'Retry', 'ArangoDB', 'Meaning'], rows)}`;
}
