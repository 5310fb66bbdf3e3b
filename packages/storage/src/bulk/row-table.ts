import { recordKeyBytes, uuidOffsetInRecordKey, type KeyText } from '../keys.ts';

const uuidAt: number = uuidOffsetInRecordKey();
/** Token and uuid, as record keys and entries of indexes that are not unique end with. */
const ownerBytes: number = recordKeyBytes - uuidAt + 8;

/** Finds rows by their uuids. */
export class RowTable {
  readonly #keys: Uint8Array;
  /** Row numbers plus one, by the last bytes of the token. */
  readonly #places: Int32Array;
  readonly #mask: number;

  /** `keys` are record keys, one after the other. */
  constructor(keys: Uint8Array) {
    const count = keys.length / recordKeyBytes;
    const places = 2 ** Math.ceil(Math.log2(count * 2 + 2));
    this.#keys = keys;
    this.#places = new Int32Array(places);
    this.#mask = places - 1;
  }

  /** The row added before with the same uuid, or -1: then this one is in the table. */
  add(row: number): number {
    const keys = this.#keys;
    const at = row * recordKeyBytes;
    const hash =
      (keys[at + uuidAt - 3]! << 16) | (keys[at + uuidAt - 2]! << 8) | keys[at + uuidAt - 1]!;
    let place = hash & this.#mask;
    for (; this.#places[place] !== 0; place = (place + 1) & this.#mask) {
      const other = this.#places[place]! - 1;
      if (sameUuid(keys, at, other * recordKeyBytes)) return other;
    }
    this.#places[place] = row + 1;
    return -1;
  }

  /** Whether the key ends with token and uuid of a row. */
  hasOwnerOf(text: KeyText): boolean {
    const at = text.length - ownerBytes;
    if (at < 0) return false;
    const code = (i: number): number => text.charCodeAt(at + i);
    let place = ((code(5) << 16) | (code(6) << 8) | code(7)) & this.#mask;
    for (; this.#places[place] !== 0; place = (place + 1) & this.#mask)
      if (this.#isOwner((this.#places[place]! - 1) * recordKeyBytes + uuidAt - 8, text, at))
        return true;
    return false;
  }

  #isOwner(from: number, text: string, at: number): boolean {
    for (let i = 0; i < ownerBytes; i++)
      if (this.#keys[from + i] !== text.charCodeAt(at + i)) return false;
    return true;
  }
}

function sameUuid(keys: Uint8Array, a: number, b: number): boolean {
  for (let i = uuidAt; i < recordKeyBytes; i++) if (keys[a + i] !== keys[b + i]) return false;
  return true;
}
