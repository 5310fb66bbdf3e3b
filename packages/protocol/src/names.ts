import { themisError } from './errors.ts';

export const models = ['relational', 'document', 'graph', 'vector', 'timeseries'] as const;
export type Model = (typeof models)[number];

export function isModel(text: string): text is Model {
  return (models as readonly string[]).includes(text);
}

export const defaultNamespace = 'default';
export const keyBytesMax = 254;

const namePattern = /^[A-Za-z_][A-Za-z0-9_-]{0,255}$/;

export function isName(text: string): boolean {
  return namePattern.test(text);
}

/** Returns `name`, or throws INVALID_NAME saying what the name is for and what is allowed. */
export function mustName(
  name: string,
  what: 'collection' | 'namespace' | 'index' | 'graph',
): string {
  if (isName(name)) return name;
  throw themisError('INVALID_NAME', {
    message: `${what} name ${JSON.stringify(name.slice(0, 80))} is not allowed: 1 to 256 characters, a letter or _ first, then letters, digits, _ and -`,
    details: { what, name: name.slice(0, 300) },
  });
}
