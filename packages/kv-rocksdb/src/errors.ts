import { isThemisError, type ThemisError } from '@themisdb/base';
import { themisError, type ErrorCode } from '@themisdb/protocol';

/**
 * The one place where the engine's errors become ours. The binding passes on the text of RocksDB's
 * `Status` without its class, and says EIO for nearly all of them: the text must tell.
 */
export function fromNative(error: unknown, doing: string): ThemisError {
  if (isThemisError(error)) return error;
  const reason = reasonOf(error);
  return themisError(codeOf(reason), {
    message: `RocksDB failed while ${doing}: ${reason.message}`,
    cause: error,
  });
}

function codeOf({ message, code }: Reason): ErrorCode {
  if (code === 'ENOSPC' || /no space left|quota exceeded|space limit/i.test(message)) {
    return 'DISK_FULL';
  }
  if (/lock file|lock hold by current process/i.test(message)) return 'DATA_LOCKED';
  // Opening creates what may be absent, so a file that is missing was lost.
  if (code === 'ENOENT' || damage.test(message)) return 'DATA_CORRUPT';
  if (/session is closed|batch is destroyed/i.test(message)) return 'STORE_FAILED';
  return 'DISK_IO';
}

const damage =
  /corrupt|(checksum|size) mismatch|bad (block|table|entry|magic)|too short|truncated/i;

interface Reason {
  readonly message: string;
  readonly code?: string | undefined;
}

/** "Batch was not applied" carries the reason as its cause. */
function reasonOf(error: unknown): Reason {
  if (!(error instanceof Error)) return { message: String(error) };
  return error.cause === undefined ? error : reasonOf(error.cause);
}
