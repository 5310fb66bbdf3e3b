/** How the text of a CSV cell becomes a value. */
export type CellTyping = 'infer' | 'string';

/**
 * With `infer`: empty → null, true/false, numbers that survive the round trip exactly (so `007`,
 * `1e999` and long digit strings stay text), anything else text. With `string`: text as it is.
 */
export function cellValue(text: string, typing: CellTyping): string | number | boolean | null {
  if (typing === 'string') return text;
  if (text === '') return null;
  if (text === 'true') return true;
  if (text === 'false') return false;
  return isPlainNumber(text) ? Number(text) : text;
}

const numeric = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

function isPlainNumber(text: string): boolean {
  if (text.length > 24 || !numeric.test(text)) return false;
  const value = Number(text);
  if (!Number.isFinite(value)) return false;
  return Number.isInteger(value) ? Number.isSafeInteger(value) : true;
}
