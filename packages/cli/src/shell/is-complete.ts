import { parse } from '@themisdb/aql';
import { isThemisError } from '@themisdb/base';

/**
 * Whether the text is ready to be sent: a dot command, a line ending in `;`, a query that parses, or
 * one that is wrong before its end. A query that only lacks its end goes on in the next line.
 */
export function isComplete(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.startsWith('.') || trimmed.endsWith(';')) return true;
  try {
    parse(trimmed);
    return true;
  } catch (error) {
    if (!isThemisError(error)) throw error;
    return error.details['incomplete'] !== true;
  }
}
