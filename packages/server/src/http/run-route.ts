import { themisError } from '@themisdb/protocol';
import { checkReadMode } from '../cluster/alone.ts';
import { runPlaced } from '../cluster/placement.ts';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { jsonType } from './media-type.ts';
import type { BodySpec, Route, RouteInput } from './route.ts';
import { validate, validateQuery } from './validate.ts';
import type { z } from 'zod';

const noBytes = new Uint8Array(0);
const nothing: Readonly<Record<string, never>> = {};
const jsonTypes = [jsonType] as const;

type Place = { readonly names: readonly string[]; readonly values: readonly string[] };

/** Reads and validates what the route declares, then lets its handler answer; in a cluster, where it has to. */
export async function runRoute(route: Route, exchange: Exchange, place: Place): Promise<Answer> {
  const { cluster } = exchange.services;
  if (cluster !== undefined) {
    return runPlaced(cluster, {
      route,
      exchange,
      read: async () => inputOf(route, exchange, place),
    });
  }
  checkReadMode(exchange);
  const input = inputOf(route, exchange, place);
  return exchange.inTime(
    route.handle(exchange, (input instanceof Promise ? await input : input) as never),
  );
}

type Input = RouteInput<never, never>;

/** A promise only where a body has to be read: a point read passes here without a turn. */
function inputOf(route: Route, exchange: Exchange, place: Place): Input | Promise<Input> {
  const params = decodeParams(place.names, place.values);
  const query =
    route.query === undefined
      ? refuseQuery(exchange.search)
      : validateQuery(route.query, exchange.search);
  const { body: spec } = route;
  if (spec === undefined || spec.kind === 'stream') {
    return { params, query, body: undefined, raw: noBytes } as unknown as Input;
  }
  return readInput(spec, exchange).then((read) => ({ params, query, ...read }) as Input);
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
  spec: BodySpec<z.ZodType>,
  exchange: Exchange,
): Promise<{ body: unknown; raw: Uint8Array }> {
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
