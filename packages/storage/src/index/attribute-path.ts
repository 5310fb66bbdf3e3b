import { themisError } from '@themisdb/protocol';
import type { AttributePath } from '../contract/catalog.ts';

/** Parses `a.b`, `tags[*]`, `items[*].sku`. INVALID_INDEX names the field and what is allowed. */
export function parseAttributePath(text: string): AttributePath {
  const parts = text.split('.');
  const steps: string[] = [];
  let expandAfter: number | undefined;
  for (const part of parts) {
    const expands = part.endsWith('[*]');
    const name = expands ? part.slice(0, -3) : part;
    if (name === '' || name.includes('[') || name.includes(']'))
      refuse(text, 'has an empty or malformed step');
    steps.push(name);
    if (!expands) continue;
    if (expandAfter !== undefined) refuse(text, 'expands more than one array');
    expandAfter = steps.length;
  }
  return expandAfter === undefined ? { steps } : { steps, expandAfter };
}

function refuse(text: string, why: string): never {
  throw themisError('INVALID_INDEX', {
    message: `index field ${JSON.stringify(text.slice(0, 200))} ${why}; allowed are dotted attribute names with at most one [*], such as "name.last" or "items[*].sku"`,
  });
}
