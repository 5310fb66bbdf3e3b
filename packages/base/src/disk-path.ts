import { assert } from './assert.ts';

/**
 * Paths as `Disk` takes them: relative to the root folder, parts joined by `/`, none of them empty,
 * `.` or `..`. The empty string names the root folder itself.
 */
export function assertDiskPath(path: string): void {
  if (path === '') return;
  assert(!/[\\\0]/.test(path), () => `disk path ${JSON.stringify(path)} holds a backslash or NUL`);
  for (const part of path.split('/')) {
    assert(
      part !== '' && part !== '.' && part !== '..',
      () => `disk path ${JSON.stringify(path)} is not a plain relative path`,
    );
  }
}

/** The folder a path lies in; the empty string for the top level. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Joins a folder (empty for the root) and a name. */
export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
