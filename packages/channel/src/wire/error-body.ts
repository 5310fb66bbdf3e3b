import {
  isThemisError,
  ThemisError,
  utf8Decode,
  utf8Encode,
  type ErrorKind,
  type TextPosition,
} from '@themisdb/base';
import { errorSpec, isErrorCode, themisError } from '@themisdb/protocol';
import { FrameFault } from './faults.ts';

// Details above this stay behind; an error is read by people and retry loops.
const detailsBytesMax = 65_536;
const messageLengthMax = 8_192;

interface ErrorFields {
  readonly code: string;
  readonly kind: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly position?: TextPosition | undefined;
}

/** What may be told of `error`: a ThemisError as it is, anything else as INTERNAL without its words. */
export function tellable(error: unknown): ThemisError {
  if (isThemisError(error)) return error;
  return themisError('INTERNAL', {
    message: 'the operation failed by a defect; see the log there',
  });
}

/** JSON. Causes and stacks stay where they are. */
export function encodeError(error: ThemisError): Uint8Array {
  const { code, kind, retryable, retryAfterMs, position } = error;
  const message = error.message.slice(0, messageLengthMax);
  const fields = { code, kind, message, retryable, retryAfterMs, position };
  const whole = utf8Encode(JSON.stringify({ ...fields, details: error.details }, wideAsText));
  return whole.length <= detailsBytesMax ? whole : utf8Encode(JSON.stringify(fields));
}

function wideAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** Throws `FrameFault` on a shape that is no error. A code unknown here is taken as it comes. */
export function decodeError(body: Uint8Array): ThemisError {
  const fields = parse(body);
  const { code, message, retryable } = fields;
  if (typeof code !== 'string' || typeof message !== 'string' || typeof retryable !== 'boolean') {
    throw new FrameFault('bad-frame', 'an error frame without code, message or retryability');
  }
  return new ThemisError({
    code,
    message,
    retryable,
    kind: isErrorCode(code) ? errorSpec(code).kind : kindOf(fields.kind),
    retryAfterMs: typeof fields.retryAfterMs === 'number' ? fields.retryAfterMs : undefined,
    details: isObject(fields.details) ? fields.details : undefined,
    position: isPosition(fields.position) ? fields.position : undefined,
  });
}

function parse(body: Uint8Array): Partial<Record<keyof ErrorFields, unknown>> {
  try {
    const value: unknown = JSON.parse(utf8Decode(body));
    if (isObject(value)) return value;
  } catch (error) {
    // TypeError: not UTF-8; SyntaxError: not JSON.
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
  }
  throw new FrameFault('bad-frame', 'an error frame that is no JSON object');
}

const kinds: readonly ErrorKind[] = [
  'invalid',
  'denied',
  'not-found',
  'conflict',
  'unavailable',
  'exhausted',
  'timeout',
  'corruption',
  'unsupported',
  'internal',
];

function kindOf(value: unknown): ErrorKind {
  return kinds.find((kind) => kind === value) ?? 'internal';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPosition(value: unknown): value is TextPosition {
  const isNumber = (name: string): boolean =>
    typeof (value as Record<string, unknown>)[name] === 'number';
  return isObject(value) && ['line', 'column', 'offset'].every(isNumber);
}
