/**
 * Operating errors: something a caller can meet in a correct program (bad input, conflict, a full
 * disk). The catalogue of codes lives in `@themisdb/protocol`; this file holds only the shape, so
 * that the lowest packages can throw and every package can recognise.
 */
export type ErrorKind =
  | 'invalid'
  | 'denied'
  | 'not-found'
  | 'conflict'
  | 'unavailable'
  | 'exhausted'
  | 'timeout'
  | 'corruption'
  | 'unsupported'
  | 'internal';

/** Line and column count from 1, in UTF-16 code units; `offset` from 0. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface ThemisErrorOptions {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly message: string;
  /** True when the same call may succeed later without being changed. */
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly position?: TextPosition | undefined;
  readonly cause?: unknown;
}

// A registered symbol, so that errors are recognised across duplicate copies of this package.
const brand: symbol = Symbol.for('themisdb.error');

export class ThemisError extends Error {
  override readonly name: string = 'ThemisError';
  readonly code: string;
  readonly kind: ErrorKind;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly position: TextPosition | undefined;

  constructor(options: ThemisErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.kind = options.kind;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
    this.position = options.position;
    Object.defineProperty(this, brand, { value: true });
  }
}

export function isThemisError(value: unknown): value is ThemisError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** Whether `value` is a ThemisError with one of the given codes. */
export function hasCode(value: unknown, ...codes: readonly string[]): value is ThemisError {
  return isThemisError(value) && codes.includes(value.code);
}
