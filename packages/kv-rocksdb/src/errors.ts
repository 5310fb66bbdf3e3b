import { isThemisError, type ThemisError } from '@themisdb/base';
import { themisError, type ErrorCode } from '@themisdb/protocol';

/**
 * The one place where the engine's errors become ours. RocksDB reports through the text of its
 * `Status`: a class ("Corruption:", "IO error:", ...) and details.
 */
export function fromNative(error: unknown, doing: string): ThemisError {
  if (isThemisError(error)) return error;
  const text = textOf(error);
  return themisError(codeOf(text), {
    message: `RocksDB failed while ${doing}: ${text}`,
    cause: error,
  });
}

function codeOf(text: string): ErrorCode {
  if (/no space left on device|disk quota exceeded|space limit/i.test(text)) return 'DISK_FULL';
  if (/lock file|lock hold by current process/i.test(text)) return 'DATA_LOCKED';
  if (/^corruption/i.test(text)) return 'DATA_CORRUPT';
  if (/session is closed|batch is destroyed|shutdown in progress/i.test(text))
    return 'STORE_FAILED';
  return 'DISK_IO';
}

/** "Batch was not applied" carries the reason as its cause. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : textOf(error.cause);
}
