import type { ErrorCode } from '@themisdb/protocol';
import type { z } from 'zod';
import type { Whereabouts } from '../cluster/whereabouts.ts';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** What a route needs. Until there are users, whoever reaches the server has all of them. */
export type Permission =
  | 'entity:read'
  | 'entity:write'
  | 'query:run'
  | 'query:manage'
  | 'collection:read'
  | 'collection:manage'
  | 'transaction:use'
  | 'changes:read'
  | 'server:observe'
  | 'server:manage';

export const permissions: Readonly<Record<Permission, string>> = {
  'entity:read': 'Read entities of a collection.',
  'entity:write': 'Create, change and remove entities of a collection.',
  'query:run': 'Run AQL; the collections it touches need their own rights.',
  'query:manage': 'See and stop queries under way.',
  'collection:read': 'See collections, indexes and schemas.',
  'collection:manage': 'Create, change and drop collections and indexes.',
  'transaction:use': 'Open, commit and roll back transactions.',
  'changes:read': 'Read the change feed.',
  'server:observe': 'Read health, metrics, the topology and the API description.',
  'server:manage': 'Change the members of the cluster and who leads.',
};

export interface AnswerSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default `application/json`. */
  readonly mediaTypes?: readonly string[];
  readonly headers?: readonly string[];
}

/** One row of the route table: what documents, validates, guards and runs a route. */
export interface Route<
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `{name}` takes one segment. */
  readonly path: string;
  /** The `{name}` at the end of the path takes all that is left, slashes included. */
  readonly takesRest?: boolean;
  readonly tag: string;
  readonly permission: Permission;
  readonly summary: string;
  readonly description?: string;
  /** What each `{name}` of the path is. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Query;
  /** Request headers the route acts upon, besides those common to all. */
  readonly headers?: readonly string[];
  readonly body?: BodySpec<Body>;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  /** Codes a correct client can meet here, besides those common to all. */
  readonly errors: readonly ErrorCode[];
  /** Goes on while the server starts or stops (health, metrics). */
  readonly isAlwaysServed?: boolean;
  /** Where in a cluster it runs; with X-Themis-Transaction among `headers`, where that one is when given. */
  readonly runs: Whereabouts | Runs<z.output<Query>, z.output<Body>>;
  handle(
    exchange: Exchange,
    input: RouteInput<z.output<Query>, z.output<Body>>,
  ): Promise<Answer> | Answer;
}

export type Runs<Query, Body> = (exchange: Exchange, input: RouteInput<Query, Body>) => Whereabouts;

export interface BodySpec<Body extends z.ZodType> {
  readonly schema: Body;
  /** Default `application/json`. */
  readonly mediaTypes?: readonly string[];
  readonly isOptional?: boolean;
  /**
   * json (default): read whole, parsed, validated. value: read whole and parsed, any JSON passes to
   * the handler as engine values. stream: left to the handler.
   */
  readonly kind?: 'json' | 'value' | 'stream';
}

export interface RouteInput<Query, Body> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** The body as it came, for fingerprints; empty where there is none. */
  readonly raw: Uint8Array;
}

/** Infers the handler's input from the schemas. */
export function defineRoute<Query extends z.ZodObject, Body extends z.ZodType>(
  route: Route<Query, Body>,
): Route {
  return route as unknown as Route;
}
