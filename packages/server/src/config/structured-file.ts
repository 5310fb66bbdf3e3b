import { readFileSync } from 'node:fs';
import { isObject, isThemisError, type Value, type ValueObject } from '@themisdb/base';
import { decodeUtf8, parseJson, themisError } from '@themisdb/protocol';
import { parseYaml, placesOf } from './yaml.ts';

/** A file of nested settings, and where in it each of them stands. */
export interface StructuredFile {
  readonly path: string;
  readonly value: ValueObject;
  /** `line 3, column 5`: where the value at a path of names and positions in lists begins. */
  place(steps: Steps): string;
}

export type Steps = readonly (string | number)[];

/** More is no file a person wrote. */
const bytesMax = 256 * 1024;

/**
 * Reads a file that must hold an object: YAML when it is named `.yaml` or `.yml`, else JSON. What is
 * wrong with it is CONFIG_INVALID, with line and column. It knows nothing of what the file is for.
 */
export function readStructuredFile(path: string): StructuredFile {
  const text = readText(path);
  const value = parse(path, text);
  if (!isObject(value)) throw invalid(path, 'it must hold an object: names and their values');
  // Only a faulty file is asked where things stand. JSON is YAML as well.
  let places: ((steps: Steps) => string) | undefined;
  return { path, value, place: (steps) => (places ??= placesOf(text))(steps) };
}

function readText(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw invalid(path, `it cannot be read (${code})`, error);
  }
  if (bytes.length > bytesMax) throw invalid(path, `it is larger than ${bytesMax} bytes`);
  return explained(path, '', () => decodeUtf8(bytes));
}

function parse(path: string, text: string): Value {
  if (/\.ya?ml$/i.test(path)) return explained(path, '', () => parseYaml(text));
  const hint = ' (files not named .yaml or .yml are read as JSON)';
  return explained(path, hint, () => parseJson(text));
}

/** What the parsers have to say, as a fault of this file. */
function explained<Result>(path: string, hint: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!isThemisError(error)) throw error;
    throw invalid(path, error.message + hint, error);
  }
}

function invalid(path: string, why: string, cause?: unknown): Error {
  const position = isThemisError(cause) ? cause.position : undefined;
  return themisError('CONFIG_INVALID', {
    message: `configuration file ${path}: ${why}`,
    details: { source: `file ${path}` },
    ...(position === undefined ? {} : { position }),
    ...(cause === undefined ? {} : { cause }),
  });
}
