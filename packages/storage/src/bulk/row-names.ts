import { utf8Decode } from '@themisdb/base';
import { ByteWriter } from '../codec/byte-writer.ts';
import { encodeString } from '../codec/encode.ts';

export const nameKind = { plain: 0, key: 1, derived: 2 } as const;

/**
 * Attribute names in the order objects show them, as bytes. Rows of one load mostly have the same names
 * in the same order, so the next one is guessed and compared in place; and a path through the tree
 * holds no name twice, so nothing has to look for duplicates.
 */
export interface RowName {
  /** As in the text behind its opening quote, closing quote included. */
  readonly quoted: Uint8Array;
  /** As in an encoded document, header included. */
  readonly encoded: Uint8Array;
  /** `nameKind` where it is an attribute of the document itself. */
  readonly kind: number;
  /** Position among the attributes an index asks for; -1 when none does. */
  readonly slot: number;
  readonly parent: RowName | undefined;
  readonly children: RowName[];
  /** The child seen last here. */
  likely: RowName | undefined;
}

const namesMax = 4096;
const childrenMax = 64;
const nameBytesMax = 64;
const quote = 0x22;

/** The names of one level: of documents, or of all objects inside them. */
export class RowNames {
  readonly #slots: ReadonlyMap<string, number>;
  readonly #isTop: boolean;
  #root: RowName;
  #count = 0;

  /** `slots` is given for documents, and says which of their attributes to keep track of. */
  constructor(slots?: ReadonlyMap<string, number>) {
    this.#isTop = slots !== undefined;
    this.#slots = slots ?? new Map();
    this.#root = makeRoot();
  }

  /** Where an object starts. A full tree starts afresh here, so that odd data cannot clog it. */
  get root(): RowName {
    if (this.#count >= namesMax) {
      this.#root = makeRoot();
      this.#count = 0;
    }
    return this.#root;
  }

  /**
   * The name at `source[start, end)`, without its quotes, behind `parent`. Undefined when it is better
   * looked at by a real parser: twice in one object, odd in any way, or the tree is full.
   */
  next(parent: RowName, source: Uint8Array, start: number, end: number): RowName | undefined {
    for (const child of parent.children) {
      if (isAt(child.quoted, source, start)) return (parent.likely = child);
    }
    return this.#grow(parent, source.slice(start, end));
  }

  #grow(parent: RowName, name: Uint8Array): RowName | undefined {
    if (this.#count >= namesMax || parent.children.length >= childrenMax) return undefined;
    if (name.length > nameBytesMax || name.some((byte) => byte < 0x20 || byte === 0x5c))
      return undefined;
    // Names that look like array indexes come first in an object, whatever the text says.
    if (name.length > 0 && name[0]! >= 0x30 && name[0]! <= 0x39) return undefined;
    const text = tryDecode(name);
    if (text === undefined) return undefined;
    const quoted = new Uint8Array(name.length + 1);
    quoted.set(name);
    quoted[name.length] = quote;
    for (let above: RowName | undefined = parent; above !== undefined; above = above.parent)
      if (above.quoted.length === quoted.length && isAt(above.quoted, quoted, 0)) return undefined;
    const child: RowName = {
      quoted,
      encoded: encodedName(text),
      kind: this.#isTop ? kindOf(text) : nameKind.plain,
      slot: this.#slots.get(text) ?? -1,
      parent,
      children: [],
      likely: undefined,
    };
    parent.children.push(child);
    parent.likely = child;
    this.#count++;
    return child;
  }
}

/** Whether `expected` stands at `at`. */
export function isAt(expected: Uint8Array, source: Uint8Array, at: number): boolean {
  for (let i = 0; i < expected.length; i++) if (expected[i] !== source[at + i]) return false;
  return true;
}

function makeRoot(): RowName {
  const nothing = new Uint8Array(0);
  const kind = nameKind.plain;
  return {
    quoted: nothing,
    encoded: nothing,
    kind,
    slot: -1,
    parent: undefined,
    children: [],
    likely: undefined,
  };
}

function kindOf(name: string): number {
  if (name === '_key') return nameKind.key;
  return name === '_id' || name === '_rev' || name === '_urn' ? nameKind.derived : nameKind.plain;
}

function tryDecode(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decode(bytes);
  } catch {
    return undefined;
  }
}

function encodedName(name: string): Uint8Array {
  const writer = new ByteWriter(name.length * 3 + 5);
  encodeString(writer, name);
  return writer.slice();
}
