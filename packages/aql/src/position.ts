import type { TextPosition } from '@themisdb/base';

/** Line and column (from 1, UTF-16 units) of an offset. A line ends with LF. */
export function positionAt(text: string, offset: number): TextPosition {
  let line = 1;
  let lineStart = 0;
  for (;;) {
    const next = text.indexOf('\n', lineStart);
    if (next < 0 || next >= offset) break;
    line++;
    lineStart = next + 1;
  }
  return { line, column: offset - lineStart + 1, offset };
}
