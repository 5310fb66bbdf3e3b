import { ThemisError, type ErrorKind } from '@themisdb/base';
import {
  errorSpec,
  isErrorCode,
  themisError,
  type ErrorBody,
  type Problem,
} from '@themisdb/protocol';

type Answered = Partial<Problem>;

/** The typed error of one failed item of a batch. */
export function errorFromBody(body: ErrorBody, status = 400): ThemisError {
  const spec = isErrorCode(body.code) ? errorSpec(body.code) : undefined;
  return new ThemisError({
    code: body.code,
    kind: spec?.kind ?? kindOfStatus(status),
    message: body.message,
    retryable: spec?.retryable ?? false,
    position: body.position,
    details: body.details,
  });
}

/**
 * The typed error of a problem document (RFC 9457 with ThemisDB's members). A code this version does
 * not know keeps its name; an answer that is no problem document at all, say from a proxy between,
 * becomes CONNECTION_FAILED with its status.
 */
export function errorFromAnswer(status: number, text: string): ThemisError {
  const problem = tryProblem(text);
  const code = problem?.error?.code;
  if (problem === undefined || code === undefined) {
    return themisError('CONNECTION_FAILED', {
      message: `the answer with status ${status} is not one of ThemisDB's; is a proxy in between?`,
      details: { status, sent: true },
    });
  }
  return new ThemisError({
    code,
    kind: isErrorCode(code) ? errorSpec(code).kind : kindOfStatus(status),
    message: problem.error?.message ?? problem.detail ?? `status ${status}`,
    retryable: problem.retryable ?? false,
    retryAfterMs: problem.retry_after_ms,
    position: problem.error?.position,
    details: { ...problem.error?.details, status, requestId: problem.request_id },
  });
}

function tryProblem(text: string): Answered | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Answered) : undefined;
  } catch {
    return undefined;
  }
}

function kindOfStatus(status: number): ErrorKind {
  if (status === 401 || status === 403) return 'denied';
  if (status === 404 || status === 410) return 'not-found';
  if (status === 409 || status === 412) return 'conflict';
  if (status === 408 || status === 504) return 'timeout';
  if (status === 429 || status === 413 || status === 507) return 'exhausted';
  if (status === 501) return 'unsupported';
  return status >= 500 ? 'unavailable' : 'invalid';
}
