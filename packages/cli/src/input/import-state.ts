import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** How far an import came; kept beside the file while the import runs, removed at its end. */
export interface ImportState {
  readonly collection: string;
  /** Size and time of the file, so that another file of the same name starts anew. */
  readonly fileBytes: number;
  readonly fileMtimeMs: number;
  readonly doneBytes: number;
  readonly doneRecords: number;
}

export function statePath(file: string): string {
  return `${file}.themis-import`;
}

export function readState(file: string, collection: string): ImportState | undefined {
  const path = statePath(file);
  if (!existsSync(path)) return undefined;
  const state = JSON.parse(readFileSync(path, 'utf8')) as ImportState;
  const { size, mtimeMs } = statSync(file);
  const isSame =
    state.collection === collection && state.fileBytes === size && state.fileMtimeMs === mtimeMs;
  return isSame ? state : undefined;
}

/** Replaced atomically: a crash leaves the old state or the new one. */
export function writeState(file: string, state: ImportState): void {
  const path = statePath(file);
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

export function removeState(file: string): void {
  rmSync(statePath(file), { force: true });
}
