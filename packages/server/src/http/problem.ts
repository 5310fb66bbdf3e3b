import { isThemisError, type ThemisError } from '@themisdb/base';
import {
  errorSpec,
  isErrorCode,
  themisError,
  type ErrorBody,
  type ErrorCode,
  type Problem,
} from '@themisdb/protocol';

export interface ProblemAnswer {
  readonly status: number;
  readonly problem: Problem;
  /** True when the error is a defect of ours: the caller logs it under the request id. */
  readonly isDefect: boolean;
}

/**
 * The answer to an error (RFC 9457). Whatever is no ThemisError is a defect: the answer says INTERNAL
 * and the request id, and nothing of the message, which may hold anything.
 */
export function problemOf(error: unknown, requestId: string): ProblemAnswer {
  const known = isThemisError(error) && isErrorCode(error.code);
  const facts = known ? error : internal(requestId);
  const code = facts.code as ErrorCode;
  const { status } = errorSpec(code);
  return {
    status,
    isDefect: !known || code === 'INTERNAL',
    problem: {
      type: `urn:themis:error:${code}`,
      title: titleOf(code),
      status,
      detail: facts.message,
      error: errorBody(facts),
      retryable: facts.retryable,
      ...(facts.retryAfterMs === undefined ? {} : { retry_after_ms: facts.retryAfterMs }),
      request_id: requestId,
      doc: `docs/reference/errors.md#${code.toLowerCase()}`,
    },
  };
}

/** The same facts where many errors stand in one answer (batches, imports). */
export function errorBody(error: ThemisError): ErrorBody {
  return {
    code: error.code,
    message: error.message,
    ...(error.position === undefined ? {} : { position: error.position }),
    ...(Object.keys(error.details).length === 0 ? {} : { details: error.details }),
  };
}

/** For a failure of one item among many; a defect is not the item's fault and goes on as it is. */
export function itemErrorBody(error: unknown): ErrorBody {
  if (isThemisError(error) && isErrorCode(error.code) && errorSpec(error.code).status < 500) {
    return errorBody(error);
  }
  throw error;
}

/** The same error, telling which item of an all-or-nothing batch it is about. */
export function atItem(error: unknown, index: number): unknown {
  if (!isThemisError(error) || !isErrorCode(error.code)) return error;
  return themisError(error.code, {
    message: `item ${index}: ${error.message}`,
    details: { ...error.details, index },
    ...(error.position === undefined ? {} : { position: error.position }),
    cause: error,
  });
}

/** Details may hold 64-bit numbers; they leave as text. */
export function problemText(problem: Problem): string {
  return JSON.stringify(problem, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

function internal(requestId: string): ThemisError {
  return themisError('INTERNAL', {
    message: `the server met a defect; its log tells more under request id ${requestId}`,
  });
}

function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll('_', ' ').replace(/^aql/, 'AQL');
  return words[0]!.toUpperCase() + words.slice(1);
}
