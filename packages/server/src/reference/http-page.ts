import { errorsOf, openApiOf } from '../http/openapi.ts';
import { permissions, type Route } from '../http/route.ts';
import { version } from '../version.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content; readonly required: boolean };
  readonly responses: Readonly<Record<string, { description: string; content?: Content }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** docs/reference/http.md, from the route table. */
export function httpPage(routes: readonly Route[]): string {
  const document = openApiOf(routes, version) as unknown as Document;
  const out = [intro];
  for (const tag of new Set(routes.map((route) => route.tag))) {
    out.push(`## ${tag[0]!.toUpperCase()}${tag.slice(1)}\n`);
    for (const route of routes.filter((candidate) => candidate.tag === tag)) {
      const operation = document.paths[route.path]![route.method.toLowerCase()]!;
      out.push(routeText(route, operation));
    }
  }
  out.push('## Shapes\n', '`?` marks what may be absent; `…` that more may be there.\n');
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    out.push(`**${name}**${schema.description ? `: ${schema.description}` : ''}\n`);
    out.push('```ts\n' + shapeOf(schema, '', false) + '\n```\n');
  }
  out.push('## Permissions\n', table(['Permission', 'Allows'], Object.entries(permissions)));
  return out.join('\n');
}

const intro = `# HTTP reference

Made from the route table by \`UPDATE_DOCS=1 npx vitest run packages/server/src/reference\`; the same
table makes \`GET /openapi.json\`. Bodies are JSON (RFC 8259, strictly: duplicate names, lone surrogates and
numbers that would be rounded are refused). Errors are problem documents (RFC 9457) with a stable
\`error.code\`; [errors.md](errors.md) lists the codes.

Headers common to all routes: \`X-Themis-Namespace\` (default \`default\`), \`X-Request-Id\` (comes back and
stands in the log), \`X-Request-Timeout\` (milliseconds the client is willing to wait).

In a cluster every answer names the leader's address in \`X-Themis-Leader\`, and what was written or read at least
in \`X-Themis-Token\`: [three nodes](../how-to/three-nodes.md).
`;

function routeText(route: Route, operation: Operation): string {
  const out = [`### ${route.method} ${route.path}\n`, route.summary + '\n'];
  if (route.description !== undefined) out.push(route.description + '\n');
  const common = new Set(['X-Themis-Namespace', 'X-Request-Id', 'X-Request-Timeout']);
  const parameters = operation.parameters.filter(({ name }) => !common.has(name));
  if (parameters.length > 0) {
    out.push(
      table(
        ['Parameter', 'In', 'Type', 'Meaning'],
        parameters.map(({ name, in: place, schema, description }) => [
          `\`${name}\``,
          place,
          `\`${shapeOf(schema, '')}\``,
          description ?? '',
        ]),
      ),
    );
  }
  const { requestBody } = operation;
  if (requestBody !== undefined) {
    const types = Object.keys(requestBody.content);
    const [content] = Object.values(requestBody.content);
    const optional = requestBody.required ? '' : ' (may be absent)';
    out.push(`Body${optional}: \`${shapeOf(content!.schema, '')}\` as ${types.join(' or ')}.\n`);
  }
  for (const status of Object.keys(route.answers)) {
    const { description, content } = operation.responses[status]!;
    const shape = content?.['application/json']?.schema;
    const types = Object.keys(content ?? {}).filter((type) => type !== 'application/json');
    const also = types.length > 0 ? ` (${types.join(', ')})` : '';
    out.push(
      `- **${status}** ${description}${also}${shape === undefined ? '' : ` \`${shapeOf(shape, '')}\``}`,
    );
  }
  const codes = errorsOf(route).filter((code) => route.errors.includes(code));
  if (codes.length > 0) out.push(`\nErrors: ${codes.join(', ')}.`);
  out.push(`\nPermission: \`${route.permission}\`.\n`);
  return out.join('\n');
}

/** A schema as TypeScript would write it. */
function shapeOf(schema: Schema, indent: string, onOneLine = true): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)!;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined)
    return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map((option) => shapeOf(option, indent)).join(' | ');
  }
  if (schema.items !== undefined) {
    const item = shapeOf(schema.items, indent);
    return item.includes(' | ') ? `(${item})[]` : `${item}[]`;
  }
  if (schema.properties !== undefined) return objectShape(schema, indent, onOneLine);
  if (schema.type === 'integer') return 'integer';
  return schema.type ?? 'any';
}

function objectShape(schema: Schema, indent: string, onOneLine: boolean): string {
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties!).map(([name, field]) => {
    const text = `${name}${required.has(name) ? '' : '?'}: ${shapeOf(field, `${indent}  `)}`;
    return onOneLine || field.description === undefined ? text : `${text}; // ${field.description}`;
  });
  if (onOneLine) return `{ ${fields.join(', ')} }`;
  return `{\n${fields.map((field) => `${indent}  ${field}`).join('\n')}\n${indent}}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
}
