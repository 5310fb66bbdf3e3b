import { makeMemoryEngine, type MemoryEngine } from '@themisdb/kv';
import { themisError, type ErrorCode } from '@themisdb/protocol';

/** An engine whose writes fail with `code` while it is set. */
export function failingEngine(): {
  readonly engine: MemoryEngine;
  fail(code: ErrorCode | undefined): void;
} {
  const engine = makeMemoryEngine({ crashable: true });
  const write = engine.write.bind(engine);
  let code: ErrorCode | undefined;
  engine.write = (batch) =>
    code === undefined ? write(batch) : Promise.reject(themisError(code, { message: 'planted' }));
  return { engine, fail: (next) => void (code = next) };
}
