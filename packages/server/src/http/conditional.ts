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

/** Whether the client's copy (If-None-Match) is the current version: then 304 suffices. Weak comparison. */
export function isNotModified(ifNoneMatch: string | undefined, rev: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = parseEntityTags(ifNoneMatch, 'If-None-Match');
  return tags === '*' || tags.some((tag) => tag.value === rev);
}

export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/**
 * Throws PRECONDITION_FAILED unless a write may go on from the current version (undefined: there is
 * none). If-Match compares strongly: a weak tag never fits.
 */
export function checkPreconditions(conditions: Preconditions, rev: string | undefined): void {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined) {
    const tags = parseEntityTags(ifMatch, 'If-Match');
    if (rev === undefined) throw failed('If-Match', 'there is no such entity', undefined);
    const fits = tags === '*' || tags.some((tag) => !tag.isWeak && tag.value === rev);
    if (!fits) throw failed('If-Match', 'the entity has another version', rev);
  }
  if (ifNoneMatch !== undefined && rev !== undefined && isNotModified(ifNoneMatch, rev)) {
    throw failed('If-None-Match', 'the entity exists in a version it names', rev);
  }
}

function failed(header: string, why: string, rev: string | undefined): Error {
  return themisError('PRECONDITION_FAILED', {
    message: `${header} does not hold: ${why}`,
    details: { header, ...(rev === undefined ? {} : { current_rev: rev }) },
  });
}
