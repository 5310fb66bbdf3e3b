import { isThemisError, type ThemisError } from '@themisdb/base';

export interface RetryOptions {
  /** Attempts in all, the first included. Default 5. */
  readonly attemptsMax?: number;
  readonly delayMsMin?: number;
  readonly delayMsMax?: number;
}

/**
 * Full-jitter exponential backoff with a budget: retries may be at most about a tenth of all calls
 * over time, so that a server in trouble is not buried by its clients.
 */
export class RetryPolicy {
  readonly attemptsMax: number;
  readonly #delayMsMin: number;
  readonly #delayMsMax: number;
  readonly #random: () => number;
  #tokens: number = budgetMax;

  constructor(options: RetryOptions | undefined, random: () => number) {
    this.attemptsMax = options?.attemptsMax ?? 5;
    this.#delayMsMin = options?.delayMsMin ?? 20;
    this.#delayMsMax = options?.delayMsMax ?? 2_000;
    this.#random = random;
  }

  succeeded(): void {
    this.#tokens = Math.min(budgetMax, this.#tokens + 0.1);
  }

  /** How long to wait before attempt number `attempt + 1`, or undefined when it must not be made. */
  delayMs(attempt: number, error: unknown, isRepeatable: boolean): number | undefined {
    if (attempt >= this.attemptsMax || !isThemisError(error) || !mayRetry(error, isRepeatable)) {
      return undefined;
    }
    if (this.#tokens < 1) return undefined;
    this.#tokens--;
    const ceiling = Math.min(this.#delayMsMax, this.#delayMsMin * 2 ** (attempt - 1));
    return Math.max(error.retryAfterMs ?? 0, this.#random() * ceiling);
  }
}

const budgetMax = 10;

/**
 * WRITE_CONFLICT and the like did nothing, so any call may be repeated. When the connection broke,
 * only a call whose repetition has no second effect may be.
 */
function mayRetry(error: ThemisError, isRepeatable: boolean): boolean {
  // Done or not: under its key it is done once, however often it is asked for.
  if (error.code === 'UNKNOWN_OUTCOME') return isRepeatable;
  if (!error.retryable) return false;
  // What a stop interrupted may have been done in part.
  if (error.code === 'SHUTTING_DOWN') return isRepeatable || error.details['started'] === false;
  if (error.code === 'CONNECTION_FAILED') return isRepeatable || error.details['sent'] === false;
  return error.kind !== 'timeout' || isRepeatable;
}
