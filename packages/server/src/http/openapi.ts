import { errorSpec, type ErrorCode } from '@themisdb/protocol';
import { z } from 'zod';
import { consistencyLevels } from '../cluster/consistency.ts';
import { jsonType, problemType } from './media-type.ts';
import { permissions, type AnswerSpec, type Route } from './route.ts';
import { problem } from './routes/schemas.ts';

type Json = Record<string, unknown>;

/** Codes any route can answer with. */
const commonErrors: readonly ErrorCode[] = [
  'BAD_REQUEST',
  'UNKNOWN_FIELD',
  'INVALID_FIELD',
  'HOST_NOT_ALLOWED',
  'REQUEST_TIMEOUT',
  'SHUTTING_DOWN',
  'STORE_FAILED',
  'INTERNAL',
];
const bodyErrors: readonly ErrorCode[] = [
  'BAD_JSON',
  'BAD_UTF8',
  'NUMBER_OUT_OF_RANGE',
  'DUPLICATE_ATTRIBUTE',
  'LIMIT_EXCEEDED',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
];

const headerTexts: Readonly<Record<string, string>> = {
  'X-Themis-Namespace': 'Namespace of the request. Default `default`.',
  'X-Themis-Transaction': 'Id of an open transaction to take part in.',
  'X-Themis-Consistency': `How fresh what is read has to be: ${consistencyLevels}. Default \`strong\`.`,
  'X-Request-Id': 'Comes back in the answer and stands in the log.',
  'X-Request-Timeout': 'Milliseconds the client is willing to wait.',
  'Idempotency-Key': 'Repeating the request under the same key has one effect and one answer.',
  'If-Match': 'Entity tags (`"_rev"`) of which one must be the current version, or `*`.',
  'If-None-Match': 'Entity tags that must not be the current version, or `*`.',
  'Last-Event-ID': 'Token of the last change seen; wins over `after`.',
  Accept: 'Which of the formats to answer in.',
  ETag: 'The `_rev` in double quotes.',
  'X-Themis-Token':
    'In an answer: timestamp of the commit; of what was read, in a cluster. In a request: what is read holds that commit, and all before it. Without `X-Themis-Consistency` that is all that is waited for.',
};
const commonHeaders = ['X-Themis-Namespace', 'X-Request-Id', 'X-Request-Timeout'];

/** The OpenAPI 3.1 document of a route table. */
export function openApiOf(routes: readonly Route[], version: string): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route, schemas);
  }
  schemas.use(problem);
  return {
    openapi: '3.1.0',
    info: {
      title: 'ThemisDB',
      version,
      description:
        'A distributed multi-model database. Errors are problem documents (RFC 9457) with a stable `error.code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: { schemas: schemas.all() },
    'x-themis-permissions': permissions,
  };
}

/** All codes a route declares, those common to all included. */
export function errorsOf(route: Route): readonly ErrorCode[] {
  const withBody = route.body === undefined ? commonErrors : [...commonErrors, ...bodyErrors];
  return [...new Set([...route.errors, ...withBody, ...clusterErrors(route)])];
}

/** What only a cluster of several nodes answers. */
function clusterErrors({ runs, headers, path }: Route): readonly ErrorCode[] {
  if (path.startsWith('/cursor/')) return ['CURSOR_LOST'];
  const out: ErrorCode[] = [];
  if (path.startsWith('/transaction/') || headers?.includes('X-Themis-Transaction') === true) {
    out.push('TRANSACTION_LOST');
  }
  const mayLead = typeof runs === 'function' || runs.type === 'leader';
  if (mayLead) out.push('NO_LEADER', 'UNKNOWN_OUTCOME');
  else if (runs.type === 'fresh') out.push('NO_LEADER');
  return out;
}

/** Whether it reads as fresh as it is asked to. */
function takesConsistency({ runs, path }: Route): boolean {
  if (typeof runs !== 'function') return runs.type === 'fresh';
  return !/^\/(transaction|cursor)\/(?!begin)/.test(path);
}

function operationOf(route: Route, schemas: Schemas): Json {
  const { method, path } = route;
  const words = path.replaceAll(/[{}]/g, '').split(/[/.]/).filter(Boolean);
  return {
    operationId: [method.toLowerCase(), ...words].join('_').replaceAll(/\W/g, '_'),
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    'x-themis-permission': route.permission,
    parameters: parametersOf(route),
    ...(route.body === undefined ? {} : { requestBody: bodyOf(route.body, schemas) }),
    responses: responsesOf(route, schemas),
  };
}

function parametersOf(route: Route): Json[] {
  const out: Json[] = [];
  for (const [name, description] of Object.entries(route.params ?? {})) {
    out.push({ name, in: 'path', required: true, description, schema: { type: 'string' } });
  }
  for (const [name, field] of Object.entries(route.query?.shape ?? {})) {
    const { description, ...schema } = plainSchema(field as z.ZodType);
    out.push({ name, in: 'query', ...(description ? { description } : {}), schema });
  }
  const fresh = takesConsistency(route) ? ['X-Themis-Consistency', 'X-Themis-Token'] : [];
  for (const name of [...(route.headers ?? []), ...fresh, ...commonHeaders]) {
    out.push({
      name,
      in: 'header',
      description: headerTexts[name],
      schema: { type: 'string' },
    });
  }
  return out;
}

function bodyOf(body: NonNullable<Route['body']>, schemas: Schemas): Json {
  const types = body.mediaTypes ?? [jsonType];
  const schema = body.kind === 'stream' ? { type: 'string' } : schemas.use(body.schema);
  return {
    required: body.isOptional !== true,
    content: Object.fromEntries(types.map((type) => [type, { schema }])),
  };
}

function responsesOf(route: Route, schemas: Schemas): Json {
  const out: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(route.answers))
    out[status] = answerOf(answer, schemas);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(route)) {
    const { status } = errorSpec(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    out[status] ??= {
      description: codes.join(', '),
      content: { [problemType]: { schema: schemas.use(problem) } },
    };
  }
  return out;
}

function answerOf(answer: AnswerSpec, schemas: Schemas): Json {
  const types = answer.mediaTypes ?? [jsonType];
  const { schema, headers } = answer;
  const content = Object.fromEntries(
    types.map((type) => [
      type,
      { schema: type === jsonType && schema ? schemas.use(schema) : { type: 'string' } },
    ]),
  );
  return {
    description: answer.description,
    ...(headers === undefined ? {} : { headers: Object.fromEntries(headers.map(headerOf)) }),
    ...(schema === undefined && answer.mediaTypes === undefined ? {} : { content }),
  };
}

function headerOf(name: string): [string, Json] {
  return [name, { description: headerTexts[name], schema: { type: 'string' } }];
}

/** Schemas by their id, each once under components. */
class Schemas {
  readonly #named = new Map<string, unknown>();

  /** The schema, with references where parts have names of their own. */
  use(schema: z.ZodType): Json {
    const { $defs, ...rest } = plainSchema(schema);
    for (const [id, part] of Object.entries(($defs ?? {}) as Json)) {
      this.#named.set(id, moved(withoutId(part as Json)));
    }
    const id = rest['id'];
    if (typeof id !== 'string') return moved(rest) as Json;
    this.#named.set(id, moved(withoutId(rest)));
    return { $ref: `#/components/schemas/${id}` };
  }

  all(): Json {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function plainSchema(schema: z.ZodType): Json {
  const made = z.toJSONSchema(schema, {
    unrepresentable: 'any',
    io: 'input',
    target: 'draft-2020-12',
  });
  const { $schema: _, '~standard': __, ...rest } = made as Json;
  return rest;
}

function withoutId({ id: _, ...rest }: Json): Json {
  return rest;
}

/** References to parts lead to components. */
function moved(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(moved);
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [
      name,
      name === '$ref' && typeof value === 'string'
        ? value.replace('#/$defs/', '#/components/schemas/')
        : moved(value),
    ]),
  );
}
