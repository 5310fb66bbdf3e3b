import { isThemisError, suggest, ThemisError, type TextPosition, type Value } from '@themisdb/base';
import { positionAt, type CollectionRef, type Span } from '@themisdb/aql';
import { themisError, type ErrorCode } from '@themisdb/protocol';
import type { Catalog, CollectionInfo } from '@themisdb/storage';
import type { PlanWarning } from './node.ts';
import { Names } from './scope.ts';

export interface BindInput {
  readonly text: string;
  readonly namespace: string;
  readonly catalog: Catalog;
  readonly params: Readonly<Record<string, Value>>;
}

/** What all parts of one query share while it is bound. */
export class BindContext {
  readonly input: BindInput;
  readonly names: Names = new Names();
  readonly reads: Map<string, CollectionInfo> = new Map();
  readonly writes: Map<string, CollectionInfo> = new Map();
  readonly warnings: PlanWarning[] = [];
  /** Parameters read at run time, and those whose value went into the plan. */
  readonly runtimeParams: Set<string> = new Set();
  readonly structuralParams: Set<string> = new Set();
  #nextId = 1;

  constructor(input: BindInput) {
    this.input = input;
  }

  id(): number {
    return this.#nextId++;
  }

  position(span: Span): TextPosition {
    return positionAt(this.input.text, span.start);
  }

  error(
    code: ErrorCode,
    span: Span,
    message: string,
    details?: Readonly<Record<string, unknown>>,
  ): ThemisError {
    return themisError(code, {
      message,
      position: this.position(span),
      ...(details === undefined ? {} : { details }),
    });
  }

  notImplemented(span: Span, what: string): ThemisError {
    return this.error('NOT_IMPLEMENTED', span, `${what} is not supported by this version.`, {
      clause: what,
    });
  }

  /** Adds the position to an error of the expression compiler, which knows spans only. */
  positioned(error: unknown, span?: Span): unknown {
    if (!isThemisError(error) || error.position !== undefined) return error;
    const place = (error.details['span'] as Span | undefined) ?? span;
    if (place === undefined) return error;
    const { span: _, ...details } = error.details;
    return new ThemisError({
      ...error,
      message: error.message,
      details,
      position: this.position(place),
    });
  }

  warn(code: string, message: string): void {
    this.warnings.push({ code, message });
  }

  /** The value of a parameter, by its key (`@name` for `@@name`). */
  param(key: string, span: Span, use: 'runtime' | 'structural'): Value {
    const value = Object.hasOwn(this.input.params, key) ? this.input.params[key] : undefined;
    if (value === undefined) {
      const near = suggest(key, Object.keys(this.input.params));
      const hint = near === undefined ? '' : ` One was given for @${near}: is that the one meant?`;
      throw this.error(
        'AQL_BIND_MISSING',
        span,
        `No value was given for bind parameter @${key}.${hint}`,
        { parameter: key, ...(near === undefined ? {} : { suggestion: near }) },
      );
    }
    (use === 'runtime' ? this.runtimeParams : this.structuralParams).add(key);
    return value;
  }

  collectionName(ref: CollectionRef): string {
    if (ref.type === 'CollectionName') return ref.name;
    const value = this.param(ref.key, ref.span, 'structural');
    if (typeof value === 'string') return value;
    throw this.error(
      'AQL_BIND_TYPE',
      ref.span,
      `Bind parameter @${ref.key} must be the name of a collection (a string).`,
      { parameter: ref.key },
    );
  }

  findCollection(name: string): CollectionInfo | undefined {
    return this.input.catalog.find(this.input.namespace, name);
  }

  mustCollection(name: string, span: Span): CollectionInfo {
    const found = this.findCollection(name);
    if (found !== undefined) return found;
    const near = suggest(name, this.collectionNames());
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    throw this.error(
      'COLLECTION_NOT_FOUND',
      span,
      `There is no collection ${name} in namespace ${this.input.namespace}.${hint}`,
      { collection: name, ...(near === undefined ? {} : { suggestion: near }) },
    );
  }

  collectionNames(): string[] {
    return this.input.catalog.collections(this.input.namespace).map((info) => info.name);
  }

  noteRead(collection: CollectionInfo, span: Span): void {
    if (this.writes.has(collection.name)) throw this.#accessAfterModification(collection, span);
    this.reads.set(collection.name, collection);
  }

  /** A query modifies a collection in one place at most. */
  noteWrite(collection: CollectionInfo, span: Span): void {
    if (this.writes.has(collection.name)) throw this.#accessAfterModification(collection, span);
    this.writes.set(collection.name, collection);
  }

  #accessAfterModification(collection: CollectionInfo, span: Span): ThemisError {
    return this.error(
      'AQL_ACCESS_AFTER_MODIFICATION',
      span,
      `The query uses collection ${collection.name} after having modified it: split the query.`,
      { collection: collection.name },
    );
  }
}
