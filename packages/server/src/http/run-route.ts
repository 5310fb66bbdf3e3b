import { themisError } from '@themisdb/protocol';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { jsonType } from './media-type.ts';
import type { BodySpec, Route } from './route.ts';
import { validate, validateQuery } from './validate.ts';
import type { z } from 'zod';

const noBytes = new Uint8Array(0);
const nothing: Readonly<Record<string, never>> = {};
const jsonTypes = [jsonType] as const;

/** Reads and validates what the route declares, then lets its handler answer. */
export async function runRoute(
  route: Route,
  exchange: Exchange,
  place: { readonly names: readonly string[]; readonly values: readonly string[] },
): Promise<Answer> {
  const params = decodeParams(place.names, place.values);
  const query =
    route.query === undefined
      ? refuseQuery(exchange.search)
      : validateQuery(route.query, exchange.search);
  const { body, raw } = await readInput(route.body, exchange);
  return route.handle(exchange, { params, query, body, raw } as never);
}

function decodeParams(
  names: readonly string[],
  values: readonly string[],
): Readonly<Record<string, string>> {
  if (names.length === 0) return nothing;
  const out: Record<string, string> = {};
  for (let i = 0; i < names.length; i++) out[names[i]!] = decodeSegment(values[i]!);
  return out;
}

function decodeSegment(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw themisError('BAD_UTF8', {
      message: 'a part of the path is not well-formed percent-encoded UTF-8',
    });
  }
}

function refuseQuery(search: string): object {
  if (search === '') return nothing;
  const [name] = new URLSearchParams(search).keys();
  throw themisError('UNKNOWN_FIELD', {
    message: `query field ${(name ?? '').slice(0, 100)} is unknown; the route takes none`,
    details: { path: [name ?? ''] },
  });
}

async function readInput(
  spec: BodySpec<z.ZodType> | undefined,
  exchange: Exchange,
): Promise<{ body: unknown; raw: Uint8Array }> {
  if (spec === undefined || spec.kind === 'stream') return { body: undefined, raw: noBytes };
  if (spec.isOptional === true && !hasBody(exchange)) {
    return { body: validate(spec.schema, nothing, 'body'), raw: noBytes };
  }
  const raw = await exchange.readBody(spec.mediaTypes ?? jsonTypes);
  const value = exchange.parse(raw);
  return { body: spec.kind === 'value' ? value : validate(spec.schema, value, 'body'), raw };
}

function hasBody(exchange: Exchange): boolean {
  const length = exchange.header('content-length');
  return length === undefined ? exchange.header('transfer-encoding') !== undefined : length !== '0';
}
