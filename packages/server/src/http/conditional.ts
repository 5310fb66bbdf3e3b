import { themisError } from '@themisdb/protocol';

/** Conditional requests, RFC 9110 §13. The entity tag of an entity is its `_rev` in quotes. */
export interface EntityTag {
  readonly isWeak: boolean;
  readonly value: string;
}

/** `*`, or the tags of an If-Match or If-None-Match header; BAD_REQUEST unless it follows the grammar. */
export function parseEntityTags(header: string, name: string): '*' | readonly EntityTag[] {
  if (header.trim() === '*') return '*';
  const out: EntityTag[] = [];
  const pattern = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(,|$)/y;
  let isOpen = true;
  for (;;) {
    const match = pattern.exec(header);
    if (match === null) break;
    out.push({ isWeak: match[1] !== undefined, value: match[2]! });
    isOpen = match[3] === ',';
    if (!isOpen) return out;
  }
  throw themisError('BAD_REQUEST', {
    message: `${name} must be * or a list of entity tags in double quotes, as "0123456789abcdef"`,
    details: { header: name },
  });
}

/** Whether the client's copy (If-None-Match) is the current version: then 304 suffices. */
export function isNotModified(ifNoneMatch: string | undefined, rev: string): boolean {
  return ifNoneMatch !== undefined && names(parseEntityTags(ifNoneMatch, 'If-None-Match'), rev);
}

export interface ConditionHeaders {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/**
 * A check of the current version (undefined: there is none) before a write: PRECONDITION_FAILED unless
 * the write may go on. If-Match compares strongly: a weak tag never fits.
 */
export function preconditions(headers: ConditionHeaders): (rev: string | undefined) => void {
  const ifMatch =
    headers.ifMatch === undefined ? undefined : parseEntityTags(headers.ifMatch, 'If-Match');
  const ifNoneMatch =
    headers.ifNoneMatch === undefined
      ? undefined
      : parseEntityTags(headers.ifNoneMatch, 'If-None-Match');
  return (rev) => {
    if (ifMatch !== undefined) {
      if (rev === undefined) throw failed('If-Match', 'there is no such entity', undefined);
      const fits = ifMatch === '*' || ifMatch.some((tag) => !tag.isWeak && tag.value === rev);
      if (!fits) throw failed('If-Match', 'the entity has another version', rev);
    }
    if (ifNoneMatch !== undefined && rev !== undefined && names(ifNoneMatch, rev)) {
      throw failed('If-None-Match', 'the entity exists in a version it names', rev);
    }
  };
}

/** Weak comparison: whether a tag is weak does not matter. */
function names(tags: '*' | readonly EntityTag[], rev: string): boolean {
  return tags === '*' || tags.some((tag) => tag.value === rev);
}

function failed(header: string, why: string, rev: string | undefined): Error {
  return themisError('PRECONDITION_FAILED', {
    message: `${header} does not hold: ${why}`,
    details: { header, ...(rev === undefined ? {} : { current_rev: rev }) },
  });
}
