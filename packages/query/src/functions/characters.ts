// Characters are Unicode code points; JavaScript strings count UTF-16 units, which differ past
// U+FFFF. Strings are well formed, so a high surrogate is always followed by a low one.

const beyondBmp = /[\ud800-\udbff]/;

export function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

export function characterCount(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if (isHighSurrogate(text.charCodeAt(i))) count--;
  return count;
}

/** The unit index of the character at `position`, counted from `from`; the end when beyond it. */
export function unitIndex(text: string, position: number, from = 0): number {
  if (!beyondBmp.test(text)) return Math.min(text.length, from + position);
  let index = from;
  for (let left = position; left > 0 && index < text.length; left--) {
    index += isHighSurrogate(text.charCodeAt(index)) ? 2 : 1;
  }
  return index;
}

/** The unit index of the character `count` before the end; 0 when there are fewer. */
export function unitIndexFromEnd(text: string, count: number): number {
  if (!beyondBmp.test(text)) return Math.max(0, text.length - count);
  return unitIndex(text, Math.max(0, characterCount(text) - count));
}

/** How many characters stand before the unit index. */
export function characterPosition(text: string, index: number): number {
  return characterCount(text.slice(0, index));
}

export function codePoints(text: string): number[] {
  const out: number[] = [];
  for (const character of text) out.push(character.codePointAt(0)!);
  return out;
}
