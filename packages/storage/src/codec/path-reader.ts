import { utf8Encode, type Value } from '@themisdb/base';
import type { AttributePath } from '../contract/catalog.ts';
import { decodeValue } from './decode.ts';
import { getU16, getU32 } from './integers.ts';
import { skipValue } from './skip.ts';
import { sameBytes } from './text.ts';

/**
 * Reads a fixed set of attribute paths from encoded documents in one pass: names are compared as
 * bytes, values not asked for are skipped by their length, nothing else is decoded. The hot path of
 * filter scans.
 */
export class PathReader {
  readonly paths: readonly AttributePath[];
  /** Positions in `paths` that ask for `_id`, `_rev` or `_urn`, which are not stored. */
  readonly derived: readonly { readonly position: number; readonly name: DerivedName }[];
  readonly #root: Node;

  constructor(paths: readonly AttributePath[]) {
    this.paths = paths;
    this.derived = paths.flatMap((path, position) => {
      const name = path.steps[0];
      return isDerived(name) ? [{ position, name }] : [];
    });
    this.#root = buildTree(paths);
  }

  /** Sets `target[offset + i]` to the value of `paths[i]`, null where there is none. */
  read(bytes: Uint8Array, start: number, target: Value[], offset = 0): void {
    for (let i = 0; i < this.paths.length; i++) {
      target[offset + i] = this.paths[i]!.expandAfter === undefined ? null : [];
    }
    readNode(bytes, start, this.#root, target, offset);
  }
}

export type DerivedName = '_id' | '_rev' | '_urn';

export function isDerived(name: string | undefined): name is DerivedName {
  return name === '_id' || name === '_rev' || name === '_urn';
}

/** One attribute level: what to do with each attribute wanted there. */
interface Node {
  readonly wanted: readonly Wanted[];
}

interface Wanted {
  readonly name: Uint8Array;
  /** Paths that end here. */
  readonly ends: readonly number[];
  /** Paths that expand the array found here, with the steps to take in each element. */
  readonly expansions: readonly { readonly position: number; readonly rest: AttributePath }[];
  readonly below: Node | undefined;
}

interface Pending {
  readonly position: number;
  readonly path: AttributePath;
}

function buildTree(paths: readonly AttributePath[]): Node {
  return buildNode(
    paths.flatMap((path, position) => (isDerived(path.steps[0]) ? [] : [{ position, path }])),
    0,
  );
}

function buildNode(pending: readonly Pending[], depth: number): Node {
  const names = [...new Set(pending.map(({ path }) => path.steps[depth]!))];
  return {
    wanted: names.map((name) => {
      const here = pending.filter(({ path }) => path.steps[depth] === name);
      return buildWanted(name, here, depth);
    }),
  };
}

function buildWanted(name: string, here: readonly Pending[], depth: number): Wanted {
  const expands = ({ path }: Pending): boolean => path.expandAfter === depth + 1;
  const ends = ({ path }: Pending): boolean => path.steps.length === depth + 1 && !path.expandAfter;
  const deeper = here.filter((each) => !expands(each) && !ends(each));
  return {
    name: utf8Encode(name),
    ends: here.filter(ends).map(({ position }) => position),
    expansions: here.filter(expands).map(({ position, path }) => ({
      position,
      rest: { steps: path.steps.slice(depth + 1) },
    })),
    below: deeper.length === 0 ? undefined : buildNode(deeper, depth + 1),
  };
}

function readNode(
  bytes: Uint8Array,
  start: number,
  node: Node,
  target: Value[],
  offset: number,
): void {
  const type = bytes[start]!;
  let at = start + 1;
  let count: number;
  if ((type & 0xf0) === 0x80) count = type & 0x0f;
  else if (type === 0xde) {
    count = getU16(bytes, at);
    at += 2;
  } else if (type === 0xdf) {
    count = getU32(bytes, at);
    at += 4;
  } else return;
  const wanted = node.wanted;
  let open = wanted.length;
  for (; count > 0 && open > 0; count--) {
    const header = bytes[at++]!;
    let length = header & 0x1f;
    if (header >= 0xc0) {
      length = longNameLength(bytes, header, at);
      at += header === 0xd9 ? 1 : header === 0xda ? 2 : 4;
    }
    const value = at + length;
    const found = find(wanted, bytes, at, length);
    if (found !== undefined) {
      take(bytes, value, found, target, offset);
      open--;
    }
    at = open > 0 ? skipValue(bytes, value) : value;
  }
}

function longNameLength(bytes: Uint8Array, header: number, at: number): number {
  return header === 0xd9 ? bytes[at]! : header === 0xda ? getU16(bytes, at) : getU32(bytes, at);
}

function find(
  wanted: readonly Wanted[],
  bytes: Uint8Array,
  at: number,
  length: number,
): Wanted | undefined {
  for (let i = 0; i < wanted.length; i++) {
    const candidate = wanted[i]!;
    if (sameBytes(candidate.name, bytes, at, length)) return candidate;
  }
  return undefined;
}

function take(
  bytes: Uint8Array,
  at: number,
  wanted: Wanted,
  target: Value[],
  offset: number,
): void {
  if (wanted.ends.length > 0) {
    const value = decodeValue(bytes, at);
    for (const position of wanted.ends) target[offset + position] = value;
  }
  if (wanted.expansions.length > 0) {
    const array = decodeValue(bytes, at);
    for (const { position, rest } of wanted.expansions)
      target[offset + position] = expand(array, rest);
  }
  if (wanted.below !== undefined) readNode(bytes, at, wanted.below, target, offset);
}

function expand(value: Value, rest: AttributePath): Value {
  if (!Array.isArray(value)) return [];
  return (value as readonly Value[]).map((element) => valueAt(element, rest.steps));
}

/** Follows attribute names into a value; null as soon as there is nothing. */
export function valueAt(value: Value, steps: readonly string[]): Value {
  let here: Value = value;
  for (const step of steps) {
    if (typeof here !== 'object' || here === null || Array.isArray(here)) return null;
    const object = here as { readonly [name: string]: Value };
    if (!Object.hasOwn(object, step)) return null;
    here = object[step]!;
  }
  return here;
}

/** What an AQL access of `path` gives on a decoded document: an array when the path expands. */
export function valueOfPath(document: Value, path: AttributePath): Value {
  if (path.expandAfter === undefined) return valueAt(document, path.steps);
  const array = valueAt(document, path.steps.slice(0, path.expandAfter));
  return expand(array, { steps: path.steps.slice(path.expandAfter) });
}
