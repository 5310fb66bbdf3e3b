import { themisError } from './errors.ts';
import { isModel, isName, models, type Model } from './names.ts';
import { tryUuid, type Uuid } from './uuid.ts';

/** `urn:themis:{model}:{namespace}:{collection}:{uuid}` (RFC 8141; `themis` is the NID). */
export interface Urn {
  readonly model: Model;
  readonly namespace: string;
  readonly collection: string;
  readonly uuid: Uuid;
}

export function formatUrn(urn: Urn): string {
  return `urn:themis:${urn.model}:${urn.namespace}:${urn.collection}:${urn.uuid}`;
}

const form = 'urn:themis:{model}:{namespace}:{collection}:{uuid}';

/** Throws INVALID_URN with the offset of the fault and what is allowed there. */
export function parseUrn(text: string): Urn {
  const parts = text.split(':');
  const offsetOf = (index: number): number =>
    parts.slice(0, index).reduce((sum, part) => sum + part.length + 1, 0);
  const fault = (index: number, why: string): never => {
    const offset = Math.min(offsetOf(index), text.length);
    throw themisError('INVALID_URN', {
      message: `URN ${JSON.stringify(text.slice(0, 200))} at offset ${offset}: ${why}; the form is ${form}`,
      details: { offset },
      position: { line: 1, column: offset + 1, offset },
    });
  };
  if (parts[0]!.toLowerCase() !== 'urn') fault(0, 'it must start with "urn:"');
  if (parts[1]?.toLowerCase() !== 'themis') fault(1, 'the namespace identifier must be "themis"');
  const model = parts[2] ?? '';
  if (!isModel(model)) fault(2, `the model must be one of ${models.join(', ')}`);
  if (parts.length === 5)
    fault(
      4,
      'the short form without a collection is not supported: put the collection before the uuid',
    );
  if (!isName(parts[3] ?? ''))
    fault(3, 'the namespace must be 1 to 256 letters, digits, _ or -, a letter or _ first');
  if (!isName(parts[4] ?? ''))
    fault(4, 'the collection must be 1 to 256 letters, digits, _ or -, a letter or _ first');
  const uuid = tryUuid(parts[5] ?? '');
  if (uuid === undefined)
    fault(5, 'the last part must be a UUID of 36 characters (8-4-4-4-12 hexadecimal digits)');
  if (parts.length > 6) fault(6, 'nothing may follow the uuid');
  return { model: model as Model, namespace: parts[3]!, collection: parts[4]!, uuid: uuid! };
}

/** Whether `text` is meant as a URN: decides between a URN and a `collection/key` id. */
export function looksLikeUrn(text: string): boolean {
  return /^urn:/i.test(text);
}
